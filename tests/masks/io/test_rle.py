"""Run lengths: the output of pycocotools is read, malformed counts are refused."""

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.io.rle import decompress, draw_rles, read_rle

RNG = np.random.default_rng(0)
MASKS = [
    RNG.random(shape) > density
    for shape in [(1, 1), (3, 5), (40, 31), (300, 700)]
    for density in (0, 0.5, 0.99, 1)
]


def runs(mask) -> list[int]:
    """Slow and by the definition: down the columns, the first run is context."""
    counts, value = [0], False
    for pixel in mask.T.ravel().tolist():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return counts


@pytest.mark.parametrize('mask', MASKS, ids=lambda m: f'{m.shape}-{m.mean():.2f}')
def test_both_kinds_of_counts_are_read(mask):
    written = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))['counts']
    counts = runs(mask)
    assert decompress(written.decode()) == counts
    for given in (counts, written.decode()):
        read, size = read_rle(dict(size=list(mask.shape), counts=given))
        assert read == written and size == mask.shape
        drawn = draw_rles([dict(size=size, counts=read)])
        np.testing.assert_array_equal(drawn, mask)
        assert drawn.dtype == np.uint8 and drawn.flags.c_contiguous


def rle(counts, size=(2, 3)):
    return dict(size=list(size) if isinstance(size, tuple) else size, counts=counts)


@pytest.mark.parametrize(
    'wrong,message',
    [
        (rle([1, 2]), r'add up to 2 \* 3 = 6, got 3'),
        (rle([1, 2, 4]), 'add up to .* got 7'),
        (rle([]), 'add up to .* got 0'),
        (rle([8, -2]), 'must be >= 0 .* got 6 with the least -2'),
        (rle([1.5, 4.5]), 'whole numbers'),
        (rle(['6']), 'whole numbers'),
        (rle([2**70]), 'whole numbers'),
        (rle(None), 'expected an RLE .*got None'),
        (rle(''), "expected an RLE.*got ''"),
        (rle('13'), 'add up to .* got 4'),
        (rle('1o'), "expected an RLE.*got '1o'"),  # ends where more must follow
        (rle('oooooooo0'), "expected an RLE.*got 'ooo"),  # forty bits and more
        (rle('1 3'), "expected an RLE.*got '1 3'"),
        (rle('1ä'), "expected an RLE.*got '1ä'"),
        (rle('1~'), "expected an RLE.*got '1~'"),
        (rle('6', size=[6]), r"'size' \[height, width\], .*got \[6\]"),
        (rle('6', size=None), "'size' .*got None"),
        (rle('6', size=[0, 3]), "'size' .*got"),
        (rle([2**62], size=[2**31, 2**31]), "'size' .* 32 bits .*got"),
        (rle('6', size=['2', '3']), "'size' .*got"),
    ],
)
def test_malformed_rle_says_what(wrong, message):
    with pytest.raises(MaskError, match=message):
        read_rle(wrong)
