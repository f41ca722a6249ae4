"""The size of a JPEG file without EXIF, as Pillow gives it."""

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.masks.io.jpeg_header import HEAD, jpeg_without_exif

PIXELS = Image.fromarray(np.zeros((7, 11, 3), np.uint8))


@pytest.mark.parametrize(
    'options',
    [
        {},
        dict(progressive=True),
        dict(icc_profile=b'x' * 300),
        dict(comment=b'hello'),
        dict(optimize=True, quality=5),
    ],
)
def test_size_is_height_and_width(tmp_path, options):
    PIXELS.save(tmp_path / 'a.jpg', **options)
    assert jpeg_without_exif(tmp_path / 'a.jpg') == (7, 11)


def test_a_file_that_does_not_tell_is_left_to_pillow(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    PIXELS.save(tmp_path / 'exif.jpg', exif=exif)
    PIXELS.save(tmp_path / 'a.png')
    PIXELS.save(tmp_path / 'long.jpg', icc_profile=b'x' * HEAD)
    PIXELS.save(tmp_path / 'a.jpg')
    whole = (tmp_path / 'a.jpg').read_bytes()
    (tmp_path / 'cut.jpg').write_bytes(whole[:40])
    (tmp_path / 'empty.jpg').write_bytes(b'')
    for name in ('exif.jpg', 'a.png', 'long.jpg', 'cut.jpg', 'empty.jpg'):
        assert jpeg_without_exif(tmp_path / name) is None, name


def test_exif_behind_the_frame_is_found(tmp_path):
    PIXELS.save(tmp_path / 'a.jpg')
    whole = (tmp_path / 'a.jpg').read_bytes()
    pixels = whole.index(b'\xff\xda')
    segment = b'\xff\xe1\x00\x08Exif\0\0'
    (tmp_path / 'b.jpg').write_bytes(whole[:pixels] + segment + whole[pixels:])
    assert jpeg_without_exif(tmp_path / 'b.jpg') is None
