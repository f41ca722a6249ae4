"""Refining the masks of records, and telling where no outline was found."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .base import MaskRecord
from .refine import Refined

MAX_WARNINGS = 100  # in one process
WAYS = {  # of `Refined.ways`, for people
    'outline': 'outlines',
    'core': 'outlines by the second try',
    'ellipse': 'ellipses in the mark',
    'mark': 'marks as they are',
}


def describe_ways(ways: Counter) -> str:
    """What marks became, with the fraction of each way."""
    total = max(ways.total(), 1)
    return ', '.join(
        f'{ways[way]} {text} ({ways[way] / total:.1%})' for way, text in WAYS.items()
    )


class RefineRecord:
    """Refines each mask of a record.

    Args:
        refine: Called with an image and a mask, such as :class:`.GrabCut`.
        warn: Called with a warning, once for each image with a part of its mark that
            has no outline, and at most 100 times.

    Attributes:
        ways: Counter of the ways that were taken (``Refined.ways``).
    """

    def __init__(
        self,
        refine: Callable[[np.ndarray, np.ndarray], Refined],
        warn: Callable[[str], None],
    ):
        self.refine = refine
        self.warn = warn
        self.ways = Counter()
        self.told = set()

    def __call__(
        self, name: str, record: MaskRecord, image: np.ndarray | None
    ) -> tuple[MaskRecord, Counter]:
        """Refine; return the refined record, and the ways of this image.

        Args:
            name: The image, for messages.
            record: A mask of (H, W), or (K, H, W), of which each plane is refined.
            image: uint8 (H, W, 3).

        Raises:
            ValueError: The image is missing, not uint8, or of another size.
        """
        if image is None:
            raise ValueError(
                f"{name}: `refine` needs the loaded image, the sample's `img`"
            )
        try:
            planes = [
                self.refine(image, plane)
                for plane in record.mask.reshape(-1, *record.mask.shape[-2:])
            ]
        except ValueError as error:
            raise ValueError(f'{name}: {error}') from error
        ways = sum((plane.ways for plane in planes), Counter())
        self.ways += ways
        coarse = ways['ellipse'] + ways['mark']
        if coarse and name not in self.told and len(self.told) < MAX_WARNINGS:
            self.told.add(name)
            self.warn(
                f'{name}: `refine` found no outline for {coarse} parts of its '
                f'mark: {ways["ellipse"]} became an ellipse, {ways["mark"]} '
                'stayed as they were'
            )
        mask = np.stack([plane.mask for plane in planes])
        return replace(record, mask=mask.reshape(record.mask.shape)), ways
