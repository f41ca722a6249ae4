"""Data sets that no stock class reads."""
from .csv_dataset import CSVDataset
from .pets import PetsBreeds, PetsSpecies

__all__ = ['CSVDataset', 'PetsBreeds', 'PetsSpecies']
