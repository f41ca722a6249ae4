"""Training data with masks: batch augments, and public data sets made ready."""
from .background_swap import BackgroundSwap

__all__ = ['BackgroundSwap']
