"""The allow-list of formats, which no mask and no image of a data set gets around."""

import ast
import base64
import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from mask_formats import EPS, FORMATS, archive
from PIL import Image, UnidentifiedImageError

import cfcn_plugin
from cfcn_plugin.annotation.load_image import image_shape, load_image
from cfcn_plugin.annotation.queue import AnnotationQueue
from cfcn_plugin.masks import MaskError, MaskLoader
from cfcn_plugin.masks.io import open_image as opener
from cfcn_plugin.masks.io.open_image import forbid_other_formats, open_image

PACKAGE = Path(cfcn_plugin.__file__).parent
FILES = [*PACKAGE.rglob('*.py'), *PACKAGE.parent.joinpath('tools').glob('*.py')]
READERS = ('imread', 'imreadmulti', 'imfrombytes', 'imreadanimation', 'VideoCapture')


def calls(file):
    """The names of all calls in a file, such as ``Image.open``."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)
        elif isinstance(node, ast.ImportFrom) and node.module in ('PIL', 'PIL.Image'):
            yield from (f'import {alias.name}' for alias in node.names)


def test_one_place_opens_images():
    found = {
        file.name
        for file in FILES
        for name in calls(file)
        if name.endswith('Image.open')
        or name == 'import open'
        or name.split('.')[-1] in READERS
    }
    assert found == {Path(opener.__file__).name}


def test_pillow_starts_ghostscript_without_the_allow_list(ghostscript):
    with pytest.raises(OSError), Image.open(BytesIO(EPS)) as image:
        image.load()  # the planted program draws nothing
    assert ghostscript.exists()


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'BMP', 'GIF', 'PPM', 'TIFF', 'WEBP'])
def test_raster_formats_are_opened(kind):
    stream = BytesIO()
    Image.new('RGB', (6, 4), (200, 200, 200)).save(stream, kind)
    stream.seek(0)
    assert open_image(stream).size == (6, 4)


def test_other_formats_are_refused(ghostscript):
    with pytest.raises(UnidentifiedImageError):
        open_image(BytesIO(EPS))
    assert not ghostscript.exists()


def test_format_that_this_pillow_lacks_is_left_out(monkeypatch):
    monkeypatch.setattr(opener, 'FORMATS', (*opener.FORMATS, 'NO SUCH'))
    assert 'NO SUCH' not in opener.known_formats()
    with pytest.raises(UnidentifiedImageError):
        open_image(BytesIO(b'nothing'))


def test_a_whole_process_gets_the_allow_list(ghostscript):
    forbid_other_formats()
    with pytest.raises(UnidentifiedImageError):
        Image.open(BytesIO(EPS))
    stream = BytesIO()
    Image.new('L', (6, 4)).save(stream, 'TIFF')
    assert Image.open(stream).size == (6, 4)


# ---- from each place an image comes from ---------------------------------------

LABELME = json.dumps(
    dict(
        imageHeight=4,
        imageWidth=6,
        shapes=[
            dict(
                label='cow',
                points=[[0, 0], [5, 3]],
                shape_type='mask',
                mask=base64.b64encode(EPS).decode(),
            )
        ],
    )
).encode()
MASKS = {
    **dict.fromkeys(
        [
            'PNG',
            'PNG, bits',
            'PNG, colours',
            'scribbles',
            'trimaps',
            'CUB',
            'VOC classes',
            'IDRiD',
            'CVAT pixels',
        ],
        EPS,
    ),
    'CVAT': archive(
        {'labelmap.txt': 'background:0,0,0::\n', 'SegmentationClass/a.png': EPS}
    ),
    'LabelMe': LABELME,
}


@pytest.mark.parametrize('kind', MASKS)
def test_mask_that_is_postscript_is_refused(tmp_path, ghostscript, kind):
    with pytest.raises(MaskError, match='cannot be read as an image'):
        FORMATS[kind].read(tmp_path, MASKS[kind])
    assert not ghostscript.exists()


@pytest.mark.parametrize('exif', [False, True])
def test_image_of_the_data_set_that_is_postscript_is_not_drawn(
    tmp_path, ghostscript, exif
):
    file = tmp_path / 'a.jpg'
    file.write_bytes(EPS)
    for read in (load_image, lambda path: image_shape(dict(img_path=path))):
        with pytest.raises(MaskError, match='cannot be read'):
            read(file)
    mask = Image.fromarray(np.eye(4, 6, dtype=bool))
    mask.save(tmp_path / 'a.png')
    source = FORMATS['PNG'].make(str(tmp_path))
    MaskLoader(source, exif=exif).query(
        dict(img_path=str(file), img=np.zeros((4, 6, 3), np.uint8)), (4, 6)
    )
    assert not ghostscript.exists()


def test_earlier_mask_that_is_postscript_is_not_edited(tmp_path, ghostscript):
    for folder in ('images', 'masks'):
        (tmp_path / folder).mkdir()
    Image.new('RGB', (6, 4)).save(tmp_path / 'images' / 'a.png')
    (tmp_path / 'masks' / 'a.png').write_bytes(EPS)
    queue = AnnotationQueue(tmp_path / 'images', tmp_path / 'masks')
    with pytest.raises(MaskError, match='cannot be read as an image'):
        queue.load_mask('a.png', (4, 6))
    assert (tmp_path / 'masks' / 'a.png').read_bytes() == EPS
    assert not ghostscript.exists()
