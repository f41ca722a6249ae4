"""Plain PNG files are read as by Pillow, and all others are left to Pillow."""

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from cfcn_plugin.masks.io.image import read_image
from cfcn_plugin.masks.io.plain_png import read_plain_png

VALUES = np.random.default_rng(0).integers(0, 256, (9, 13), dtype=np.uint8)


def save(file, image, **options):
    image.save(file, 'PNG', **options)
    return file


@pytest.mark.parametrize('mode', ['L', '1'])
def test_grey_pixels_are_those_of_pillow(tmp_path, mode):
    image = Image.fromarray(
        VALUES if mode == 'L' else np.where(VALUES > 99, 255, 0).astype(np.uint8)
    ).convert(mode)
    file = save(tmp_path / 'a.png', image, dpi=(72, 72))
    found = read_plain_png(file, (9, 13))
    np.testing.assert_array_equal(found, np.array(image), strict=True)


@pytest.mark.parametrize(
    'image, options',
    [
        (Image.fromarray(VALUES).convert('RGB'), {}),
        (Image.fromarray(VALUES, 'P'), {}),
        (Image.fromarray(VALUES), dict(transparency=3)),
        (Image.fromarray(VALUES.astype(np.uint16)), {}),
        (Image.fromarray(VALUES), dict(exif=b'Exif\0\0II*\0\x08\0\0\0\0\0')),
    ],
)
def test_a_file_with_more_meaning_is_not_plain(tmp_path, image, options):
    assert read_plain_png(save(tmp_path / 'a.png', image, **options), (9, 13)) is None


def test_another_size_or_format_and_no_file_are_not_read(tmp_path):
    file = save(tmp_path / 'a.png', Image.fromarray(VALUES))
    assert read_plain_png(file, (13, 9)) is None
    Image.fromarray(VALUES).save(tmp_path / 'a.bmp')
    assert read_plain_png(tmp_path / 'a.bmp', (9, 13)) is None
    assert read_plain_png(tmp_path / 'none.png', (9, 13)) is None


def test_every_cut_and_every_changed_byte_is_found(tmp_path):
    stream = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    info.add_text('a', 'b')
    Image.fromarray(VALUES[:3, :4]).save(stream, 'PNG', pnginfo=info)
    whole, file = stream.getvalue(), tmp_path / 'a.png'
    for place in range(len(whole)):
        file.write_bytes(whole[:place])
        assert read_plain_png(file, (3, 4)) is None, place
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert read_plain_png(file, (3, 4)) is None, place
    file.write_bytes(whole + b'x')
    assert read_plain_png(file, (3, 4)) is None


def test_a_path_is_read_at_once_and_a_stream_by_pillow(tmp_path):
    file = save(tmp_path / 'a.png', Image.fromarray(VALUES))
    for given in (file, str(file), io.BytesIO(file.read_bytes())):
        np.testing.assert_array_equal(read_image(given, (9, 13)), VALUES)
