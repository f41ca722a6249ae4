"""Data sets without a stock class, and the sampler of guided images."""

from .csv_dataset import CSVDataset
from .guided_sampler import GuidedSampler
from .pets import PetsBreeds, PetsSpecies

__all__ = ['CSVDataset', 'GuidedSampler', 'PetsBreeds', 'PetsSpecies']
