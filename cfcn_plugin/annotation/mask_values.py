"""The pixel values of written mask files."""

from collections.abc import Iterator

import numpy as np

from cfcn_plugin.masks import MaskError, MaskRecord

LAYOUTS = ('union', 'values', 'folders')
CAUSAL, UNKNOWN = 255, 127  # values of one mask
UNKNOWN_CLASS = 255  # of label files, as in Pascal VOC


def mask_files(record: MaskRecord, file: str, layout: str) -> Iterator[tuple]:
    """The files of an image's mask.

    Args:
        record: The mask.
        file: The path of one mask, below the folder of masks.
        layout: One of ``LAYOUTS``, as in ``MaskConverter``.

    Yields:
        (path below the folder of masks, values, classes) of each file.

    Raises:
        MaskError: The layout cannot hold the mask.
    """
    if record.mask.ndim == 2:
        yield file, mask_values(record.mask, record.ignore), ()
    elif layout == 'union':
        union = record.mask.max(0, initial=0)
        yield file, mask_values(union, record.ignore), record.classes
    elif layout == 'values':
        yield file, label_values(record), record.classes
    else:
        for plane, label in zip(record.mask, record.classes):
            yield f'{label}/{file}', mask_values(plane, record.ignore), (label,)


def mask_values(mask: np.ndarray, ignore: np.ndarray | None) -> np.ndarray:
    """uint8 (H, W): 0 context, 255 causal, 127 unknown."""
    values = mask * np.uint8(CAUSAL)
    if ignore is not None:
        values[ignore == 1] = UNKNOWN
    return values


def label_values(record: MaskRecord) -> np.ndarray:
    """uint8 (H, W): 0 context, class + 1, 255 unknown.

    Raises:
        MaskError: Classes overlap, or a class is too large for 8 bits.
    """
    highest = max(record.classes, default=0)
    if highest + 1 >= UNKNOWN_CLASS:
        raise MaskError(
            f"mask '{record.file}' has class {highest}: label files hold classes below "
            '254, write a folder for each class with --classes folders'
        )
    overlap = (record.mask.sum(0, dtype=np.int64) > 1).sum()
    if overlap:
        raise MaskError(
            f"masks of classes {record.classes.tolist()} in '{record.file}' overlap in "
            f'{overlap} pixels, and a label file has one class per pixel: write a '
            'folder for each class with --classes folders, or one mask with --classes '
            'union'
        )
    labels = record.classes.astype(np.uint8)[:, None, None] + np.uint8(1)
    values = (record.mask * labels).max(0, initial=0)
    if record.ignore is not None:
        values[record.ignore == 1] = UNKNOWN_CLASS
    return values


def causal_and_unknown(values: np.ndarray, is_label_file: bool) -> tuple[float, float]:
    """The causal fraction and the unknown fraction of a file's pixels."""
    unknown = values == (UNKNOWN_CLASS if is_label_file else UNKNOWN)
    return ((values != 0) & ~unknown).mean(), unknown.mean()
