"""Boxes that exist already, of any mask source, to begin a drawing with."""

import ast
from collections.abc import Sequence
from pathlib import Path

import cv2

from cfcn_plugin import masks
from cfcn_plugin.masks import MaskLoader, MaskSource
from cfcn_plugin.masks.refine import connected_parts


class SourceBoxes:
    """The boxes around the connected parts of an image's mask.

    Args:
        source: The source of the masks, or of the boxes.
        images: Folder of images.
        per_class: Whether boxes have the labels of the source's classes, class + 1;
            else each box has the label 1.
    """

    def __init__(self, source: MaskSource, images: str | Path, per_class: bool = False):
        self.loader = MaskLoader(source, missing='unguided', empty='unguided')
        self.images = Path(images)
        self.per_class = per_class

    def __call__(self, name: str, shape: tuple[int, int]) -> list[list[float]]:
        """Boxes [x0, y0, x1, y1, label] in pixels; none if the image has no mask.

        Args:
            name: The image.
            shape: Its (H, W).

        Raises:
            MaskError: The image's mask cannot be used.
        """
        result = self.loader.query(dict(img_path=str(self.images / name)), shape)
        if result.error is not None and result.kind not in ('missing', 'empty'):
            raise result.error
        if result.kind != 'mask':
            return []
        record = result.record
        planes = record.mask.reshape(-1, *shape)
        labels = (
            (record.classes + 1).tolist()
            if (self.per_class and record.classes is not None)
            else [1] * len(planes)
        )
        boxes = []
        for plane, label in zip(planes, labels):
            for part in connected_parts(plane):
                left, top, width, height = cv2.boundingRect(part)
                boxes.append([left, top, left + width, top + height, label])
        return boxes


def build_source(options: Sequence[str]) -> MaskSource:
    """A mask source of the package by ``type=BoxMasks KEY=VALUE ...``.

    Values are Python literals; what is none is text.

    Raises:
        ValueError: An option is not KEY=VALUE, or the type is no mask source.
    """
    values = {}
    for option in options:
        key, equal, value = option.partition('=')
        if not equal:
            raise ValueError(f'expected KEY=VALUE, got {option!r}')
        values[key] = _literal(value)
    name = values.pop('type', None)
    known = [one for one in masks.__all__ if one.endswith('Masks')]
    if name not in known:
        raise ValueError(f'type must be one of {", ".join(known)}, got {name!r}')
    return getattr(masks, name)(**values)


def _literal(value: str):
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
