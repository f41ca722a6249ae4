"""EXIF orientations, as they are stored and as loaders treat them."""

import struct

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.exif import (
    exif_orientation,
    is_upright,
    open_as_stored,
    stored_orientation,
    turn_upright,
)

ORIENTATIONS = range(2, 9)


def noise(height=20, width=32):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path, pixels, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif)
    return path


def upright(pixels, orientation):
    return np.moveaxis(turn_upright(np.moveaxis(pixels, -1, 0), orientation), 0, -1)


def move_exif_to_the_end(path):
    """Move a PNG's EXIF behind its pixels, where the format allows EXIF as well."""
    data, chunks, at = path.read_bytes(), [], 8
    while at < len(data):
        end = at + 12 + struct.unpack('>I', data[at : at + 4])[0]
        chunks.append(data[at:end])
        at = end
    chunks.sort(
        key=lambda chunk: (
            [b'eXIf', b'IEND'].index(chunk[4:8]) + 1
            if chunk[4:8] in (b'eXIf', b'IEND')
            else 0
        )
    )
    path.write_bytes(data[:8] + b''.join(chunks))


@pytest.mark.parametrize('orientation', ORIENTATIONS)
@pytest.mark.parametrize('name', ['a.jpg', 'a.png', 'a.tif', 'a.webp'])
def test_size_is_the_stored_one_in_every_format(tmp_path, name, orientation):
    path = save(tmp_path / name, noise(), orientation)
    assert stored_orientation(path) == (orientation, (20, 32))


def test_exif_behind_the_pixels_of_a_png_is_found(tmp_path):
    path = save(tmp_path / 'a.png', noise(), 3)
    move_exif_to_the_end(path)
    assert stored_orientation(path)[0] == 3


def test_orientation_in_xmp_alone_is_none(tmp_path):
    xmp = b'<x:xmpmeta tiff:Orientation="3"></x:xmpmeta>'
    Image.fromarray(noise()).save(tmp_path / 'a.jpg', xmp=xmp)
    assert Image.open(tmp_path / 'a.jpg').getexif()[0x0112] == 3
    assert stored_orientation(tmp_path / 'a.jpg')[0] == 1
    with open_as_stored(tmp_path / 'a.jpg') as image:
        assert exif_orientation(image) == 1


def test_png_without_exif_is_not_decoded(tmp_path, monkeypatch):
    Image.fromarray(noise()).save(tmp_path / 'a.png')
    monkeypatch.setattr(
        'PIL.PngImagePlugin.PngImageFile.load', lambda *_: pytest.fail('decoded')
    )
    assert stored_orientation(tmp_path / 'a.png') == (1, (20, 32))


@pytest.mark.parametrize('orientation', ORIENTATIONS)
@pytest.mark.parametrize('name', ['a.png', 'a.tif'])
@pytest.mark.parametrize(
    'change',
    [
        lambda pixels: pixels,
        lambda pixels: pixels[..., ::-1],
        lambda pixels: pixels.astype(np.float32),
        lambda pixels: pixels * np.uint16(257),
        lambda pixels: np.dstack([pixels, np.full(pixels.shape[:2], 9, np.uint8)]),
        lambda pixels: np.array(Image.fromarray(pixels).convert('L')),
        lambda pixels: np.clip(pixels.astype(int) + np.arange(-1, 2), 0, 255),
    ],
    ids=['RGB', 'BGR', 'float', '16 bits', 'alpha', 'grey', 'another decoder'],
)
def test_pixels_tell_whether_they_were_turned(tmp_path, name, orientation, change):
    stored = noise(24, 24)
    path = save(tmp_path / name, stored, orientation)
    assert is_upright(change(stored), path) is False
    assert is_upright(change(upright(stored, orientation)), path) is True


@pytest.mark.parametrize(
    'pixels',
    [
        np.zeros((24, 24, 3), np.uint8),
        np.full((24, 24), 200, np.uint8),
        255 - noise(24, 24)[::-1],
        np.zeros((5, 7, 3), np.uint8),
    ],
    ids=['black', 'grey', 'others', 'another size'],
)
def test_what_the_pixels_do_not_tell_is_none(tmp_path, pixels):
    path = save(tmp_path / 'a.png', noise(24, 24), 3)
    assert is_upright(pixels, path) is None


def test_symmetric_image_does_not_tell(tmp_path):
    pixels = np.maximum(noise(24, 24), noise(24, 24)[::-1, ::-1])
    assert is_upright(pixels, save(tmp_path / 'a.png', pixels, 3)) is None


def test_damaged_file_does_not_tell(tmp_path):
    path = save(tmp_path / 'a.png', noise(24, 24), 3)
    path.write_bytes(path.read_bytes()[:900])
    assert is_upright(noise(24, 24), path) is None


def test_published_image_has_no_orientation(tmp_path):
    with open_as_stored(save(tmp_path / 'a.png', noise(), 1)) as image:
        np.testing.assert_array_equal(np.asarray(image), noise())
    with pytest.raises(MaskError, match=r"a.png' has an EXIF orientation \(6\)"):
        open_as_stored(save(tmp_path / 'a.png', noise(), 6))
