"""Boxes of a mask source, and the captions of a table, for the images of the page."""

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.annotation.drawing.captions import read_captions
from cfcn_plugin.annotation.drawing.source_boxes import SourceBoxes, build_source
from cfcn_plugin.masks import MaskError, PNGMasks

NAMES = ['a.png', 'sub/b.png']


@pytest.fixture
def source(images):
    values = np.zeros((200, 300), np.uint8)
    values[20:40, 10:60] = 1
    values[100:150, 200:220] = 2
    (images.parent / 'true').mkdir()
    Image.fromarray(values).save(images.parent / 'true/a.png')
    return build_source(
        [
            'type=PNGMasks',
            f'data_root={images.parent}',
            'masks=true',
            'images=images',
            'causal=[1, 2]',
            'classes=[0, 1]',
        ]
    )


def test_options_are_those_of_the_source(source):
    assert isinstance(source, PNGMasks) and source.causal == [1, 2]


@pytest.mark.parametrize(
    'options,text',
    [
        (['PNGMasks'], 'expected KEY=VALUE'),
        (['type=Masks'], 'must be one of BoxMasks'),
        (['masks=x'], 'got None'),
        (['type=GrabCut'], 'must be one of'),
    ],
)
def test_source_that_does_not_exist_is_told(options, text):
    with pytest.raises(ValueError, match=text):
        build_source(options)


def test_each_part_of_a_mask_has_a_box_with_its_label(source, images):
    first, second = [10, 20, 60, 40], [200, 100, 220, 150]
    assert SourceBoxes(source, images, per_class=True)('a.png', (200, 300)) == [
        [*first, 1],
        [*second, 2],
    ]
    assert SourceBoxes(source, images)('a.png', (200, 300)) == [
        [*first, 1],
        [*second, 1],
    ]
    assert SourceBoxes(source, images)('b.png', (200, 300)) == []


def test_mask_of_another_size_is_told(source, images):
    with pytest.raises(MaskError, match='height and width'):
        SourceBoxes(source, images)('a.png', (20, 30))


def test_captions_are_found_by_paths_from_any_folder_above(tmp_path):
    file = tmp_path / 'labels.csv'
    file.write_text(
        'image,kind,place\ntrain/a.png,tit,land\nsub/b.png,gull,water\n'
        'other/a.png,x,y\n'
    )
    assert read_captions(file, tmp_path / 'x/train', NAMES) == {
        'a.png': 'kind: tit · place: land',
        'sub/b.png': 'kind: gull · place: water',
    }
    file.write_text('image,kind\na.png,tit\n')
    assert read_captions(file, tmp_path / 'x/train', NAMES) == {'a.png': 'tit'}


def test_captions_of_no_image_are_an_error(tmp_path):
    (tmp_path / 'labels.csv').write_text('image,kind\nz.png,tit\n')
    with pytest.raises(MaskError, match="no line begins.*'a.png'"):
        read_captions(tmp_path / 'labels.csv', tmp_path, NAMES)
