"""An estimate of the memory of a repair, before the work."""

import os
from dataclasses import dataclass

from .logistic import BLOCK, HISTORY
from .views import FOLDS


@dataclass
class MemoryCheck:
    """Called with the number of images so far, before their features are taken.

    Attributes:
        batches: Number of batches; the first batch stands for all.
        views: Number V of other backgrounds.
        features: Number F of features of the last layer.
        classes: Number C of classes.
        allowed: Bytes; None: half of the machine's memory.

    Raises:
        ValueError: The estimate for all images is above.
    """

    batches: int
    views: int
    features: int
    classes: int
    allowed: float | None = None
    expected: int = 0

    def __call__(self, images: int) -> None:
        self.expected = max(images, self.expected or images * self.batches)
        if self.allowed is None:
            self.allowed = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2
        needed = bytes_needed(self.expected, self.views, self.features, self.classes)
        if needed > self.allowed:
            raise ValueError(
                f'{self.expected} guided images with {self.views} other backgrounds, '
                f'{self.features} features and {self.classes} classes need about '
                f'{_text(needed)} of memory, and `memory` allows {_text(self.allowed)}:'
                ' take fewer `views` or fewer guided images, or raise `memory`'
            )


def bytes_needed(images: int, views: int, features: int, classes: int) -> float:
    """An estimate of the largest memory of a repair, without the network's own."""
    rows = images * (views + 1)
    fits = FOLDS + 1
    # as they come (the allocator keeps that memory), joined, and standardised
    taken = 3 * 4 * rows * features
    judged = 4 * 4 * rows * classes + 8 * 2 * fits * images * classes
    fitted = 8 * (2 * HISTORY + 8) * fits * features * classes
    block = 8 * 10 * min(BLOCK, fits * rows * classes)
    return taken + judged + fitted + block


def _text(size: float) -> str:
    return f'{size / 2**30:.1f} GiB' if size >= 2**30 else f'{size / 2**20:.3f} MiB'
