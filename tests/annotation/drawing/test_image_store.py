"""Images for the browser: format, size, thumbnails and orientation."""

import cv2
import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.annotation.drawing.image_store import ImageStore, shrink
from cfcn_plugin.masks import MaskError

RED = np.full((40, 60, 3), (200, 40, 30), np.uint8)


@pytest.fixture
def store(tmp_path):
    return ImageStore(tmp_path)


def decoded(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)


def test_small_image_travels_without_loss(store):
    Image.fromarray(RED).save(store.folder / 'a.png')
    content, kind = store.encoded('a.png')
    assert kind == 'image/png'
    np.testing.assert_array_equal(decoded(content), RED)


def test_large_image_travels_as_jpeg_of_at_most_4096_pixels(store):
    Image.new('RGB', (4200, 1000), (200, 40, 30)).save(store.folder / 'a.bmp')
    content, kind = store.encoded('a.bmp')
    assert kind == 'image/jpeg' and decoded(content).shape == (975, 4096, 3)
    assert store.load('a.bmp').shape == (1000, 4200, 3)


@pytest.mark.parametrize(
    'size,wanted', [((960, 480), (96, 48)), ((60, 40), (60, 40)), ((3000, 1), (96, 1))]
)
def test_thumbnail_has_at_most_96_pixels(store, size, wanted):
    Image.new('RGB', size, (200, 40, 30)).save(store.folder / 'a.jpg')
    found = decoded(store.thumbnail('a.jpg'))
    assert found.shape == (*wanted[::-1], 3)
    assert abs(found.astype(int) - (200, 40, 30)).max() < 8


@pytest.mark.parametrize('content', [b'', b'no image'])
def test_thumbnail_of_a_broken_file_names_it(store, content):
    (store.folder / 'a.jpg').write_bytes(content)
    with pytest.raises(MaskError, match="image 'a.jpg' cannot be read"):
        store.thumbnail('a.jpg')
    assert store.orientation('a.jpg') == 1


def test_image_is_upright_and_its_orientation_told(store):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RED).save(store.folder / 'a.jpg', exif=exif)
    assert store.orientation('a.jpg') == 6
    assert store.load('a.jpg').shape == (60, 40, 3)


def test_shrink_keeps_proportions_and_at_least_a_pixel():
    assert shrink(np.zeros((10, 40)), 20).shape == (5, 20)
    assert shrink(np.zeros((1, 400)), 20).shape == (1, 20)
    np.testing.assert_array_equal(
        shrink(np.array([[0.0, 4.0], [8.0, 4.0]]), 1), [[4.0]]
    )
