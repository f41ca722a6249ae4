"""Folders of mask files: each kind of PNG, and each way a file can be wrong."""
from pathlib import Path

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS
from PIL import Image

from cfcn_plugin.masks import MaskError, PNGMasks

CAUSAL = np.array([[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]], bool)


def write(path: Path, picture: Image.Image) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


def grey(values, dtype=np.uint8) -> Image.Image:
    return Image.fromarray(np.asarray(values, dtype))


def palette(indices) -> Image.Image:
    picture = grey(indices)
    picture.putpalette([90, 90, 90, 10, 200, 30, 255, 0, 0])
    assert picture.mode == 'P'
    return picture


def sample(root: Path, key: str = 'images/a.jpg', shape=CAUSAL.shape) -> dict:
    return dict(img_path=str(root / key), ori_shape=shape)


def source(root: Path, **kwargs) -> PNGMasks:
    return PNGMasks('masks', 'images', data_root=str(root), **kwargs)


def read(root: Path, picture: Image.Image, **kwargs):
    write(root / 'masks' / 'a.png', picture)
    return source(root, **kwargs)(sample(root))


def message(root: Path, picture: Image.Image, **kwargs) -> str:
    """The error's text, which always begins with the file."""
    with pytest.raises(MaskError) as caught:
        read(root, picture, **kwargs)
    assert f"'{root / 'masks' / 'a.png'}'" in str(caught.value)
    return str(caught.value)


# ---- kinds of files --------------------------------------------------------

KINDS = {
    '1-bit': lambda: Image.fromarray(CAUSAL),
    '8-bit 0, 1': lambda: grey(CAUSAL),
    '8-bit 0, 255': lambda: grey(CAUSAL * 255),
    '16-bit 0, 1': lambda: grey(CAUSAL, np.uint16),
    '16-bit 0, 65535': lambda: grey(CAUSAL * 65535, np.uint16),
    'palette 0, 1': lambda: palette(CAUSAL),
}


@pytest.mark.parametrize('kind', KINDS)
def test_binary_files_of_every_kind_give_the_same_mask(tmp_path, kind):
    record = read(tmp_path, KINDS[kind]())
    assert record.mask.dtype == np.uint8
    np.testing.assert_array_equal(record.mask, CAUSAL)
    assert record.file == str(tmp_path / 'masks' / 'a.png')
    assert record.ignore is None and record.classes is None


@pytest.mark.parametrize('make', [grey, palette])
def test_causal_values_are_grey_levels_or_palette_indices(tmp_path, make):
    record = read(tmp_path, make([[0, 1, 2, 1]]), causal=[2])
    np.testing.assert_array_equal(record.mask, [[0, 0, 1, 0]])


def test_causal_values_of_16_bit_files(tmp_path):
    record = read(tmp_path, grey([[0, 300, 40000]], np.uint16), causal=[300, 40000])
    np.testing.assert_array_equal(record.mask, [[0, 1, 1]])


@pytest.mark.parametrize('causal', [None, [255]])
def test_ignored_pixels_are_neither_causal_nor_an_error(tmp_path, causal):
    record = read(tmp_path, grey([[0, 255, 128, 7]]), causal=causal, ignore=[128, 7])
    np.testing.assert_array_equal(record.mask, [[0, 1, 0, 0]])
    np.testing.assert_array_equal(record.ignore, [[0, 0, 1, 1]])
    assert record.ignore.dtype == np.uint8


def test_ignored_value_may_be_the_type_s_maximum(tmp_path):
    record = read(tmp_path, grey([[0, 1, 255]]), ignore=[255])
    np.testing.assert_array_equal(record.mask, [[0, 1, 0]])
    np.testing.assert_array_equal(record.ignore, [[0, 0, 1]])


def test_mask_without_a_causal_pixel_is_read_as_such(tmp_path):
    assert not read(tmp_path, grey(CAUSAL * 0)).mask.any()


# ---- where files are -------------------------------------------------------


def test_folder_of_masks_mirrors_the_folder_of_images(tmp_path):
    write(tmp_path / 'masks' / 'deep' / 'er' / 'a.b.png', grey(CAUSAL))
    assert source(tmp_path)(sample(tmp_path, 'images/deep/er/a.b.jpg')) is not None
    assert source(tmp_path)(sample(tmp_path, 'images/a.b.jpg')) is None


def test_without_an_images_folder_paths_begin_at_the_root(tmp_path):
    write(tmp_path / 'masks' / 'train' / 'a.png', grey(CAUSAL))
    masks = PNGMasks('masks', data_root=str(tmp_path))
    assert masks(sample(tmp_path, 'train/a.jpg')) is not None
    assert masks.keys() == ['train/a']


def test_other_suffix(tmp_path):
    write(tmp_path / 'masks' / 'a.bmp', grey(CAUSAL * 255))
    masks = source(tmp_path, suffix='.bmp')
    assert masks(sample(tmp_path)) is not None
    assert masks.keys() == ['images/a']


def test_suffix_without_a_dot_is_refused():
    with pytest.raises(ValueError, match="`suffix`.*'_mask.png'"):
        PNGMasks('masks', suffix='_mask.png')


def test_image_outside_the_images_folder_names_image_and_remedy(tmp_path):
    with pytest.raises(MaskError, match="'photos/a.jpg'.*images='images'.*`images`"):
        source(tmp_path)(sample(tmp_path, 'photos/a.jpg'))


def test_image_outside_data_root_is_an_error(tmp_path):
    with pytest.raises(MaskError, match='is not below data_root'):
        source(tmp_path / 'pets')(sample(tmp_path, 'images/a.jpg'))


def test_keys_do_not_decode_and_leave_out_resource_forks(tmp_path):
    for name in ('b.png', 'a.png', 'sub/c.png', '._a.png', 'sub/._c.png', 'a.txt'):
        path = tmp_path / 'masks' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'junk')
    assert source(tmp_path).keys() == ['images/a', 'images/b', 'images/sub/c']


def test_missing_folder_names_folder_and_remedy(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        source(tmp_path).keys()
    for part in (f"'{tmp_path / 'masks'}'", '`masks`', '`data_root`'):
        assert part in str(caught.value)


def test_check_passes_when_each_mask_has_its_image(tmp_path):
    for name in ('a', 'b', 'sub/c'):
        write(tmp_path / 'images' / f'{name}.jpg', Image.new('RGB', (4, 3)))
    write(tmp_path / 'masks' / 'a.png', grey(CAUSAL))
    write(tmp_path / 'masks' / 'sub' / 'c.png', grey(CAUSAL))
    (tmp_path / 'masks' / '._stranger.png').write_bytes(b'junk')
    source(tmp_path).check()


def test_check_names_masks_of_unknown_images(tmp_path):
    write(tmp_path / 'images' / 'a.jpg', Image.new('RGB', (4, 3)))
    for name in 'abcdef':
        write(tmp_path / 'masks' / f'{name}.png', grey(CAUSAL))
    with pytest.raises(MaskError) as caught:
        source(tmp_path).check()
    text = str(caught.value)
    assert text.startswith('5 masks of folder')
    for part in (f"'{tmp_path / 'masks'}'", "'images/b', 'images/c', 'images/d':",
                 'belong to no image', '`data_root`'):
        assert part in text


def test_check_without_an_images_folder(tmp_path):
    write(tmp_path / 'train' / 'a.jpg', Image.new('RGB', (4, 3)))
    write(tmp_path / 'masks' / 'train' / 'a.png', grey(CAUSAL))
    masks = PNGMasks('masks', data_root=str(tmp_path))
    masks.check()
    write(tmp_path / 'masks' / 'train' / 'b.png', grey(CAUSAL))
    with pytest.raises(MaskError, match="1 masks.*'train/b'"):
        masks.check()


# ---- wrong files -----------------------------------------------------------


@pytest.mark.parametrize('picture,shown', [
    (grey([[0, 255, 128]]), '0 and 255, got 0, 128, 255;'),
    (grey([[0, 1, 255]]), '0 and 255, got 0, 1, 255;'),
    (grey([[0, 2]]), '0 and 255, got 0, 2;'),
    (grey([range(20)]), 'got 0, 1, 2, 3, 4, 5, 6, 7 ...;'),
    (palette([[0, 1, 2]]), 'got 0, 1, 2;'),
    (grey([[0, 300, 65535]], np.uint16), '0 and 65535, got 0, 300, 65535;'),
    (grey([[0, 255]], np.uint16), '0 and 65535, got 0, 255;'),
])
def test_file_that_is_not_binary_shows_values_and_remedy(tmp_path, picture, shown):
    text = message(tmp_path, picture)
    assert 'is not binary' in text and 'values 0 and 1' in text
    assert shown in text and '`causal=[...]`' in text


@pytest.mark.parametrize('mode,channels', [('RGB', 3), ('RGBA', 4), ('LA', 2)])
def test_several_channels_are_refused(tmp_path, mode, channels):
    text = message(tmp_path, Image.new(mode, (4, 3)))
    assert f'has {channels} channels, expected one' in text
    assert 'save it as a single channel' in text


@pytest.mark.parametrize('damage', [
    lambda whole: b'',
    lambda whole: whole[:20],
    lambda whole: whole[:len(whole) // 2],
    lambda whole: b'not a picture at all',
    lambda whole: whole[:60] + bytes([whole[60] ^ 255]) + whole[61:],
], ids=['zero bytes', 'header cut', 'half', 'text', 'a flipped byte'])
def test_file_that_can_not_be_decoded_is_named(tmp_path, damage):
    noise = np.random.default_rng(0).random((40, 40)) > 0.5
    path = write(tmp_path / 'masks' / 'a.png', grey(noise * 255))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(MaskError, match='can not be read.*is it whole') as caught:
        source(tmp_path)(sample(tmp_path))
    assert f"'{path}'" in str(caught.value)


def test_config_builds_the_source(tmp_path):
    write(tmp_path / 'masks' / 'a.png', grey(CAUSAL))
    built = TASK_UTILS.build(dict(
        type='PNGMasks', masks='masks', images='images', data_root=str(tmp_path)))
    np.testing.assert_array_equal(built(sample(tmp_path)).mask, CAUSAL)
