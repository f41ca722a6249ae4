"""Scribbles: a few lines over the cause, one scribble file per image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .base import MaskRecord, class_record
from .io.shapes import check_radius, dilate, pixel_radius
from .png import PNGMasks, colour_codes, select_values


class ScribbleMasks(PNGMasks):
    """Pixels near a scribble are causal.

    Args:
        masks, images, data_root: As in :class:`.MirrorMasks`.
        radius: Largest distance from a line, 0 or more.
        unit: Unit of ``radius``: ``'diagonal'`` for a fraction of the image's diagonal,
            or ``'pixel'``.
        context: Values or colours of scribbles over the context. If given, pixels near
            no scribble, or near both kinds of scribble, are ignored. If not given,
            pixels near no scribble are context.
        **png: More options of :class:`.PNGMasks`.
    """

    def __init__(
        self,
        masks: str,
        images: str = '',
        data_root: str = '',
        radius: float = 0.02,
        unit: str = 'diagonal',
        context: Sequence[int] | Sequence[Sequence[int]] = (),
        **png,
    ):
        super().__init__(masks, images, data_root, **png)
        check_radius(radius, unit)
        self.radius = radius
        self.unit = unit
        self.context = colour_codes('context', context)
        if context and self.causal is None:
            raise ValueError('`context` needs `causal`: name the causal values')
        if set(self.context) & {*(self.causal or ()), *self.ignore}:
            raise ValueError(
                f'`context` {list(context)} and `causal` or `ignore` of '
                f'{png} share a value'
            )

    def record(self, values: np.ndarray, file: Path) -> MaskRecord:
        record, shape = super().record(values, file), values.shape
        radius = pixel_radius(self.radius, self.unit, shape)
        ignore = record.ignore
        if self.context:
            near = dilate(select_values(values, self.causal), radius)
            doubt = near == dilate(select_values(values, self.context), radius)
            ignore = doubt.astype(np.uint8) if ignore is None else ignore | doubt
        if record.classes is None:
            return MaskRecord(dilate(record.mask, radius), record.file, ignore=ignore)
        planes = {
            label: dilate(plane, radius)
            for label, plane in zip(record.classes.tolist(), record.mask)
        }
        return class_record(planes, shape, record.file, ignore)
