"""Folders of masks: the listed images, the names, and atomic writing."""

import errno
import os

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.annotation.png_folder import (
    check_distinct_masks,
    check_masks_apart,
    list_images,
    mask_name,
    png_masks_config,
    write_png,
)
from cfcn_plugin.masks import MaskError, PNGMasks


def image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (6, 4)).save(path)


def test_images_of_all_folders_but_hidden_files_and_that_of_the_masks(tmp_path):
    for name in ('b.JPG', 'a/c.png', '._b.jpg', 'masks/b.png'):
        image(tmp_path / name)
    (tmp_path / 'notes.txt').write_text('no image')
    assert list_images(tmp_path, tmp_path / 'masks') == ['a/c.png', 'b.JPG']


def test_folder_without_images_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no image.*jpg'):
        list_images(tmp_path)
    with pytest.raises(FileNotFoundError, match="'.*nowhere' does not exist"):
        list_images(tmp_path / 'nowhere')


def test_images_that_would_have_one_mask_are_named():
    check_distinct_masks(['a.jpg', 'b/a.jpg', 'b/a.b.jpg'])
    with pytest.raises(
        MaskError, match="'a.jpg' and 'a.png' would have the same mask.*rename"
    ):
        check_distinct_masks(['a.jpg', 'a.png'])


@pytest.mark.parametrize('masks', ['images', 'images/../images', 'link'])
def test_mask_that_would_replace_an_image_is_refused(tmp_path, masks):
    (tmp_path / 'images').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'images')
    with pytest.raises(MaskError, match="replace image 'b.png'.*another folder"):
        check_masks_apart(['a.jpg', 'b.png'], tmp_path / 'images', tmp_path / masks)
    check_masks_apart(['b.png'], tmp_path / 'images', tmp_path / 'images/masks')
    with pytest.raises(MaskError, match="image 'b.jpg' would replace image 'm/b.png'"):
        check_masks_apart(
            ['b.jpg', 'm/b.png'], tmp_path / 'images', tmp_path / 'images' / 'm'
        )


def test_written_mask_is_read_by_png_masks(tmp_path):
    image(tmp_path / 'images' / 'deep' / 'a.b.jpg')
    mask = np.eye(4, 6, dtype=np.uint8)
    write_png(tmp_path / 'masks' / mask_name('deep/a.b.jpg'), mask * np.uint8(255))
    config = png_masks_config(tmp_path / 'images', tmp_path / 'masks')
    assert config.pop('type') == 'PNGMasks'
    source = PNGMasks(**config)
    sample = dict(img_path=tmp_path / 'images/deep/a.b.jpg', ori_shape=(4, 6))
    np.testing.assert_array_equal(source(sample).mask, mask)
    source.check()


def test_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'a.png'
    write_png(path, np.zeros((4, 6), np.uint8))
    before = path.read_bytes()

    def full(*files):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(OSError, match='No space'):
        write_png(path, np.ones((4, 6), np.uint8))
    assert path.read_bytes() == before
    assert list(tmp_path.glob('*.png')) == [path]  # the rest is not taken for a mask


def test_config_begins_at_the_data_root_when_it_holds_both(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert png_masks_config('data/x/train', 'data/x/masks', ignore=[127]) == dict(
        type='PNGMasks', data_root='data/x', images='train', masks='masks', ignore=[127]
    )
    assert png_masks_config('data/x', 'data/x/masks') == dict(
        type='PNGMasks', data_root='data/x', images='', masks='masks'
    )
    outer = png_masks_config('data/x/train', 'data/x/masks', 'data')
    assert outer['images'] == 'x/train'
    elsewhere = png_masks_config('data/x/train', 'masks', 'data')
    assert (elsewhere['data_root'], elsewhere['masks']) == ('.', 'masks')


@pytest.mark.parametrize('values,mode', [([[0, 255]], '1'), ([[0, 127]], 'L')])
def test_a_bit_a_pixel_is_enough_where_nothing_is_unknown(tmp_path, values, mode):
    write_png(tmp_path / 'a.png', np.array(values, np.uint8), one_bit=True)
    with Image.open(tmp_path / 'a.png') as file:
        assert file.mode == mode
        assert np.array(file.convert('L')).tolist() == values
