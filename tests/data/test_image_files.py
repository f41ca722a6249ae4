"""Images as torch data sets load them, upright or as stored, of known formats alone."""

import numpy as np
import pytest
from PIL import Image, ImageOps
from torchvision.datasets.folder import default_loader

from cfcn_plugin.data import load_image
from cfcn_plugin.data.image_files import load_stored, path_finder, with_known_formats

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)


@pytest.mark.parametrize('ending', ['png', 'tif', 'jpg'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_an_image_is_loaded_upright_or_as_torchvision_does(
    tmp_path, ending, orientation
):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / f'image.{ending}'
    Image.fromarray(PIXELS).save(file, exif=exif)
    np.testing.assert_array_equal(load_stored(file), default_loader(str(file)))
    with Image.open(file) as image:
        expected = ImageOps.exif_transpose(image).convert('RGB')
    np.testing.assert_array_equal(load_image(file), expected)


@pytest.mark.parametrize('mode', ['L', 'P', 'RGBA', '1'])
def test_an_image_of_any_mode_becomes_rgb(tmp_path, mode):
    file = tmp_path / 'image.png'
    Image.fromarray(PIXELS).convert(mode).save(file)
    np.testing.assert_array_equal(load_image(file), default_loader(str(file)))


@pytest.mark.parametrize('load', [load_image, load_stored])
def test_a_file_that_cannot_be_read_is_named(tmp_path, load):
    for content in (b'%!PS-Adobe-3.0 EPSF-3.0\n', b'', b'\x89PNG\r\n\x1a\n'):
        (tmp_path / 'image.png').write_bytes(content)
        with pytest.raises(OSError, match=r"image '.*image.png' cannot be read: \S"):
            load(tmp_path / 'image.png')


class Mine:
    """A data set whose attributes have the names of others'."""

    samples = [1, 2]
    reader = loader = None


def test_a_data_set_of_ones_own_stays_as_it_is():
    mine = Mine()
    mine.reader = mine.loader = object()
    changed = with_known_formats(mine)
    assert changed.reader is mine.reader and changed.loader is mine.loader
    with pytest.raises(TypeError, match='Mine does not say which file an image has'):
        path_finder(mine)
