"""Masks that cannot be used, where they do not end a run."""
from collections.abc import Callable

from .base import MaskError

MAX_WARNINGS = 100  # in one process
ALL_BAD = 32  # so many failures and no success are not a few bad files


class MaskFailures:
    """Warns of each unusable mask once, and tells a bad file from a wrong option.

    Each process, and each worker of a data loader, has its own.

    Attributes:
        any_loaded: Whether a mask was loaded, or declared missing, without an error.

    Args:
        warn: Called with each warning.
    """

    def __init__(self, warn: Callable[[str], None]):
        self.warn = warn
        self.any_loaded = False
        self.named = set()

    def add(self, name: str, error: MaskError) -> None:
        """Warn that the image ``name`` is unguided.

        Raises:
            MaskError: This is the 32nd image, and no mask was loaded before.
        """
        if name in self.named or len(self.named) == MAX_WARNINGS:
            return
        self.named.add(name)
        if not self.any_loaded and len(self.named) == ALL_BAD:
            raise MaskError(
                f'none of the first {ALL_BAD} masks can be used, which points to a '
                f'wrong option; the last one: {error}') from error
        self.warn(f'{name} is unguided: {error}')
        if len(self.named) == MAX_WARNINGS:
            self.warn(f'{MAX_WARNINGS} masks cannot be used in this process, more are '
                      'not named: see `mask_error_fraction`')
