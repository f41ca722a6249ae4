"""Data sets that no stock class reads, and which of their images are drawn."""
from .csv_dataset import CSVDataset
from .guided_sampler import GuidedSampler
from .pets import PetsBreeds, PetsSpecies

__all__ = ['CSVDataset', 'GuidedSampler', 'PetsBreeds', 'PetsSpecies']
