"""Options for the border of a trimap, and files that are not trimaps."""

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.masks import MaskError, TrimapMasks

TRIMAP = np.array([[2, 3, 3], [2, 3, 1]], np.uint8)
SHAPE = TRIMAP.shape


def write(root, values, name='a.png'):
    path = root / 'annotations' / 'trimaps' / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path)
    return path


def read(root, shape=SHAPE, **kwargs):
    sample = dict(img_path=str(root / 'images' / 'a.jpg'), ori_shape=shape)
    return TrimapMasks(data_root=str(root), **kwargs)(sample)


@pytest.mark.parametrize(
    'border,mask',
    [
        ('causal', [[0, 1, 1], [0, 1, 1]]),
        ('context', [[0, 0, 0], [0, 0, 1]]),
        ('ignore', [[0, 0, 0], [0, 0, 1]]),
    ],
)
def test_border_is_what_is_asked_for(tmp_path, border, mask):
    path = write(tmp_path, TRIMAP)
    record = read(tmp_path, border=border)
    assert record.file == str(path)
    assert record.mask.dtype == np.uint8
    np.testing.assert_array_equal(record.mask, mask)
    if border == 'ignore':
        np.testing.assert_array_equal(record.ignore, TRIMAP == 3)
    else:
        assert record.ignore is None


def test_border_is_causal_by_default(tmp_path):
    write(tmp_path, TRIMAP)
    np.testing.assert_array_equal(read(tmp_path).mask, TRIMAP != 2)


def test_unknown_border_names_the_three():
    with pytest.raises(ValueError, match="`border`.*causal.*context.*ignore.*'edge'"):
        TrimapMasks(border='edge')


@pytest.mark.parametrize(
    'values,shown',
    [
        ([[0, 255, 0]], r'\[0, 255\]'),
        ([[0, 1, 2]], r'\[0, 1, 2\]'),
        ([[1, 2, 4]], r'\[1, 2, 4\]'),
    ],
)
def test_file_that_is_no_trimap_names_file_values_and_remedy(tmp_path, values, shown):
    path = write(tmp_path, values)
    with pytest.raises(MaskError, match=f'not a trimap.*{shown}.*PNGMasks') as caught:
        read(tmp_path, (1, 3))
    assert f"'{path}'" in str(caught.value)


def test_missing_trimap_is_none(tmp_path):
    assert read(tmp_path) is None


def test_resource_forks_of_the_archive_are_not_masks(tmp_path):
    path = write(tmp_path, TRIMAP)
    path.with_name('._a.png').write_bytes(b'junk')
    image = tmp_path / 'images' / 'a.jpg'
    image.parent.mkdir()
    Image.new('RGB', SHAPE[::-1]).save(image)
    source = TrimapMasks(data_root=str(tmp_path))
    assert source.keys() == ['images/a']
    source.check()
