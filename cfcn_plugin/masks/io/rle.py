"""Run lengths of COCO, checked before pycocotools decodes them.

pycocotools does not check the counts: if their sum is too small, the mask contains
uninitialised memory.
"""

from array import array

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from cfcn_plugin.masks.errors import MaskError, expect

from .numbers import are_numbers, is_whole

MOST_PIXELS = 2**32 - 1  # a count has 32 bits
MOST_DIGITS = 7  # of 5 bits each: enough for any count of 32 bits


def read_rle(segmentation: dict) -> tuple[bytes, tuple[int, int]]:
    """Compressed counts and size (H, W) of a COCO segmentation.

    Args:
        segmentation: ``size`` [H, W], and ``counts``: a list of run lengths down the
            columns, the first of context, or COCO's compressed text.

    Raises:
        MaskError: The RLE is malformed, or does not fill its size.
    """
    size, counts = segmentation.get('size'), segmentation.get('counts')
    expect(
        isinstance(size, list)
        and len(size) == 2
        and all(is_whole(n, 1) for n in size)
        and size[0] * size[1] <= MOST_PIXELS,
        "an RLE with 'size' [height, width], of 32 bits of pixels at most",
        size,
    )
    height, width = size
    numbers = decompress(counts) if isinstance(counts, str) else _whole_numbers(counts)
    expect(
        numbers is not None,
        "an RLE with 'counts' as a list of whole numbers or COCO's compressed text",
        counts,
    )
    if min(numbers, default=0) < 0 or sum(numbers) != height * width:
        raise MaskError(
            f'malformed RLE, its counts must be >= 0 and add up to {height} * '
            f'{width} = {height * width}, got {sum(numbers)} with the least '
            f'{min(numbers, default=0)}: write it again, e.g. with pycocotools'
        )
    if isinstance(counts, str):
        return counts.encode('ascii'), (height, width)
    rle = coco_mask.frPyObjects(segmentation, height, width)
    return rle['counts'], (height, width)


def draw_rles(rles: list[dict]) -> np.ndarray:
    """The union of compressed RLEs, uint8 {0, 1}, (H, W)."""
    by_columns = coco_mask.decode(coco_mask.merge(rles)).T
    return cv2.transpose(by_columns)  # ten times as fast as ascontiguousarray


def decompress(text: str) -> list[int] | None:
    """COCO's compressed counts as numbers, None if they are malformed.

    Each character, minus '0', has 5 bits of a number, lowest bits first, and a sixth
    bit that is set if another character follows. The highest of the 5 bits in the last
    character is the sign. From the fourth number on, the text has the difference to
    the number two places before.
    """
    code = np.frombuffer(text.encode('utf-8', 'surrogatepass'), np.uint8)
    code = code.astype(np.int64) - ord('0')
    if not len(code) or code.min() < 0 or code.max() > 63 or code[-1] & 32:
        return None
    last = np.flatnonzero(code & 32 == 0)
    first = np.append(0, last[:-1] + 1)
    digit = np.arange(len(code)) - first.repeat(last - first + 1)
    if digit.max() >= MOST_DIGITS:
        return None
    numbers = np.add.reduceat((code & 31) << (5 * digit), first)
    numbers -= (code[last] >> 4) << (5 * (digit[last] + 1))
    for start in (1, 2):
        numbers[start::2] = numbers[start::2].cumsum()
    return numbers.tolist()


def _whole_numbers(counts) -> list[int] | None:
    try:
        is_whole_list = isinstance(counts, list) and are_numbers(counts, int)
        return array('q', counts).tolist() if is_whole_list else None
    except OverflowError:
        return None
