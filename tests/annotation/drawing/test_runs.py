"""Masks as runs: hand-written numbers, and bytes that are no mask."""

import numpy as np
import pytest

from cfcn_plugin.annotation.drawing.runs import decode_runs, encode_runs
from cfcn_plugin.masks import MaskError


def test_runs_are_pairs_of_label_and_length():
    labels = np.array([[0, 0, 2], [2, 1, 0]], np.uint8)
    words = np.frombuffer(encode_runs(labels), '<u4').tolist()
    assert words == [0, 2, 2, 2, 1, 1, 0, 1]
    np.testing.assert_array_equal(decode_runs(encode_runs(labels), (2, 3), 2), labels)


@pytest.mark.parametrize(
    'content,text',
    [
        (b'abc', 'pairs'),
        (b'', '6 pixels|2 x 3'),
        (encode_runs(np.zeros(7)), 'got 7'),
        (np.array([0, 2**32 - 1, 0, 7], '<u4').tobytes(), 'pixels'),
        (encode_runs(np.full(6, 3)), 'labels to 2, got 3'),
    ],
)
def test_runs_that_are_no_mask_are_refused(content, text):
    with pytest.raises(MaskError, match=text):
        decode_runs(content, (2, 3), 2)
