"""Scribbles are dilated; with two kinds, pixels near neither kind are ignored."""

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS
from PIL import Image

from cfcn_plugin.masks import MaskError, ScribbleMasks
from cfcn_plugin.masks.io.shapes import dilate

SHAPE = (30, 40)  # a diagonal of 50


def line(row, first, last, value=1):
    values = np.zeros(SHAPE, np.uint8)
    values[row, first:last] = value
    return values


def read(root, values, **kwargs):
    (root / 'masks').mkdir(exist_ok=True)
    Image.fromarray(values).save(root / 'masks' / 'a.png')
    source = TASK_UTILS.build(
        dict(
            type='ScribbleMasks',
            masks='masks',
            images='images',
            data_root=str(root),
            **kwargs,
        )
    )
    return source(dict(img_path=str(root / 'images/a.jpg'), ori_shape=SHAPE))


@pytest.mark.parametrize(
    'kwargs,radius',
    [
        (dict(), 1),
        (dict(radius=0.1), 5),
        (dict(radius=3, unit='pixel'), 3),
        (dict(radius=0), 0),
    ],
)
def test_scribble_grows_by_the_radius(tmp_path, kwargs, radius):
    values = line(10, 5, 20)
    record = read(tmp_path, values * 255, **kwargs)
    np.testing.assert_array_equal(record.mask, dilate(values, radius))
    assert record.ignore is None and record.mask.dtype == np.uint8


def test_ignored_pixels_do_not_grow(tmp_path):
    values = line(10, 5, 20) + line(20, 5, 20, 9)
    record = read(tmp_path, values, causal=[1], ignore=[9])
    np.testing.assert_array_equal(record.ignore, line(20, 5, 20))


def test_planes_grow_class_by_class(tmp_path):
    values = line(10, 5, 20) + line(12, 5, 20, 2)
    record = read(
        tmp_path, values, causal=[1, 2], classes=[4, 3], radius=3, unit='pixel'
    )
    assert record.classes.tolist() == [3, 4]
    np.testing.assert_array_equal(
        record.mask, [dilate(line(12, 5, 20), 3), dilate(line(10, 5, 20), 3)]
    )


def test_with_context_scribbles_what_is_near_neither_or_both_is_ignored(tmp_path):
    values = line(10, 5, 20) + line(13, 5, 20, 2) + line(25, 0, 9, 7)
    record = read(
        tmp_path, values, causal=[1], context=[2], ignore=[7], radius=2, unit='pixel'
    )
    cause, context = dilate(line(10, 5, 20), 2), dilate(line(13, 5, 20), 2)
    np.testing.assert_array_equal(record.mask, cause)
    np.testing.assert_array_equal(
        record.ignore, (cause == context) | (line(25, 0, 9) == 1)
    )
    assert record.ignore.dtype == np.uint8
    assert not record.ignore[9, 10] and not record.ignore[14, 10]
    assert record.ignore[11, 10] and record.ignore[0, 0]


@pytest.mark.parametrize(
    'wrong,text',
    [
        (dict(radius=-1), '`radius`'),
        (dict(unit='fraction'), '`unit`'),
        (dict(context=[2]), '`context` needs `causal`'),
        (dict(context=[1], causal=[1]), 'share a value'),
        (dict(context=[1], causal=[2], ignore=[1]), 'share a value'),
        (dict(context=[[1, 2]], causal=[2]), '`context` must hold'),
    ],
)
def test_wrong_option_is_refused(wrong, text):
    with pytest.raises(ValueError, match=text):
        ScribbleMasks('masks', **wrong)


def test_broken_scribble_is_named(tmp_path):
    with pytest.raises(MaskError, match="a.png': not binary"):
        read(tmp_path, line(10, 5, 20, 3))
