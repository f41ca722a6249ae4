"""Images loaded as in training, and their size without decoding."""

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.annotation.load_image import image_shape, load_image
from cfcn_plugin.masks import MaskError

mmcv = pytest.importorskip('mmcv')


def save(path, mode='RGB', orientation=1, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).convert(mode).save(path, exif=exif, **options)
    return path


@pytest.mark.parametrize('orientation', range(1, 9))
def test_pixels_are_those_of_mmcv(tmp_path, orientation):
    path = save(tmp_path / 'a.jpg', orientation=orientation)
    image = load_image(path)
    np.testing.assert_array_equal(image, mmcv.imread(path)[..., ::-1])
    assert image_shape(dict(img_path=path)) == image.shape[:2]


def test_image_is_upright_rgb(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (6, 4), (200, 30, 10)).save(
        tmp_path / 'a.jpg', exif=exif, quality=95
    )
    image = load_image(tmp_path / 'a.jpg')
    assert image.shape == (6, 4, 3)
    np.testing.assert_allclose(image[0, 0], (200, 30, 10), atol=6)


@pytest.mark.parametrize(
    'mode,name',
    [
        ('L', 'a.jpg'),
        ('RGBA', 'a.png'),
        ('P', 'a.png'),
        ('1', 'a.png'),
        ('RGB', 'a.webp'),
        ('CMYK', 'a.tif'),
    ],
)
def test_any_image_has_three_channels_as_in_mmcv(tmp_path, mode, name):
    path = save(tmp_path / name, mode, orientation=6)
    image = load_image(path)
    np.testing.assert_array_equal(image, mmcv.imread(path)[..., ::-1])
    assert image.ndim == 3 and image_shape(dict(img_path=path)) == image.shape[:2]


@pytest.mark.parametrize(
    'orientation,shape', [(1, (40, 60)), (3, (40, 60)), (6, (60, 40))]
)
def test_shape_is_that_of_the_upright_image(tmp_path, orientation, shape):
    path = save(tmp_path / 'a.jpg', orientation=orientation)
    assert image_shape(dict(img_path=path)) == shape


def test_shape_of_an_image_without_a_file():
    assert image_shape(dict(sample_idx=3, img=np.zeros((5, 7, 3)))) == (5, 7)


@pytest.mark.parametrize('content', [b'', b'no image'])
def test_image_that_cannot_be_read_is_named(tmp_path, content):
    (tmp_path / 'a.jpg').write_bytes(content)
    for read in (load_image, lambda path: image_shape(dict(img_path=path))):
        with pytest.raises(MaskError, match='a.jpg.*cannot be read'):
            read(tmp_path / 'a.jpg')


def test_image_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere.jpg'):
        load_image(tmp_path / 'nowhere.jpg')
    with pytest.raises(MaskError, match='nowhere.jpg.*cannot be read'):
        image_shape(dict(img_path=tmp_path / 'nowhere.jpg'))
