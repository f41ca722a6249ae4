"""What a mask source has for one image: a mask, or what is wrong with the mask."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from cfcn_plugin.printable import printable

from .base import MaskRecord, MaskSource
from .errors import ForeignImageError, MaskError, MaskSizeError, at, check_size
from .exif import turn_upright
from .mask_memory import file_states
from .orientation import mask_turn, size_remedy
from .scaled_record import is_scaled, read_scaled


@dataclass(frozen=True)
class QueryResult:
    """The result of querying a mask source for one image.

    Attributes:
        kind: ``'mask'``; ``'unchosen'``: the list or the fraction leaves the image
            out; or the problem: ``'missing'``, ``'empty'``, ``'size'``, ``'unusable'``.
        error: The error that a strict policy raises; None if there is no problem.
        record: The mask in the orientation of the loaded image; with ``'empty'``,
            zeros; with ``'size'``, the mask of the wrong size, if available.
        ways: How the mask was refined (``Refined.ways``); None if it was not.
    """

    kind: str
    error: Exception | None = None
    record: MaskRecord | None = None
    ways: Counter | None = None

    @property
    def reason(self) -> str:
        """Text of the problem; empty if there is no problem."""
        if self.error is None or isinstance(self.error, ValueError):
            return printable(self.error or '')
        return printable(f'{type(self.error).__name__}: {self.error}')


def query_source(
    source: MaskSource, sample: dict, shape: tuple[int, int], exif: bool, rescale: bool
) -> QueryResult:
    """Query a source for the mask of a sample; a MaskError is a result.

    Args:
        source: The source.
        sample: A sample's dict with ``img_path`` or ``sample_idx``. Without ``img``,
            the loaded image counts as upright.
        shape: (H, W) of the loaded image.
        exif, rescale: As in :class:`.MaskLoader`.
    """
    record, path = None, sample.get('img_path')
    image_state = () if path is None else file_states(path)
    try:
        orientation, turn, problem = mask_turn(sample, shape, exif)
        stored = shape[::-1] if turn > 4 else shape
        asked = {**sample, 'ori_shape': stored}
        record = read_scaled(source, asked) if rescale else source(asked)
        if record is None:
            return QueryResult('missing', _missing(source, sample))
        with at(f"'{record.file}'"):
            check_size(record.mask.shape[-2:], stored)
            record.check()
        if problem:
            raise MaskError(f'{describe_image(sample)} {problem}')
    except MaskSizeError as error:
        remedy = size_remedy(error.size, stored, sample, exif)
        if not remedy and not rescale and is_scaled(error.size, stored):
            remedy = (
                '. The proportions are the same: scale such masks with `rescale=True`'
            )
        return QueryResult(
            'size', MaskError(f'{describe_image(sample)}: {error}{remedy}'), record
        )
    except MaskError as error:
        return QueryResult('unusable', error)
    if not record.mask.any():
        error = MaskError(
            f"mask '{record.file}' has no causal pixel: correct it, or declare such "
            "images unguided with `empty='unguided'`"
        )
        zeros = MaskRecord(np.zeros(shape, np.uint8), record.file)
        return QueryResult('empty', error, zeros)
    made_of = record.made_of
    if made_of is not None:
        # a turned image is compared with its file in each draw
        made_of = (*image_state, *made_of) if orientation == 1 else None
    ignore = None if record.ignore is None else turn_upright(record.ignore, turn)
    mask = turn_upright(record.mask, turn)
    return QueryResult(
        'mask', record=replace(record, mask=mask, ignore=ignore, made_of=made_of)
    )


def _missing(source: MaskSource, sample: dict) -> MaskError:
    where = type(source).__name__
    with suppress(ForeignImageError):
        where = source.looked_for(source.key(sample))
    return MaskError(
        f'{describe_image(sample)} has no mask in {where}: add it, or declare images '
        "without a mask unguided with `missing='unguided'`"
    )


def describe_image(sample: dict) -> str:
    """The image of a sample, for messages."""
    name = sample.get('img_path') or sample.get('sample_idx')
    return f"image '{printable(name)}'"
