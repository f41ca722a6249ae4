"""Images in a folder per class, and their masks in one folder without any."""

import numpy as np
import pytest
from mask_formats import SHAPE, XML, image

from cfcn_plugin.masks import MaskError, MaskLoader, PNGMasks, VOCMasks


@pytest.fixture
def root(tmp_path):
    for name in ('images/cow/1.jpg', 'images/dog/2.jpg', 'images/dog/ä.jpg'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(image())
    for name in '12':
        (tmp_path / 'Annotations').mkdir(exist_ok=True)
        (tmp_path / f'Annotations/{name}.xml').write_text(XML)
        (tmp_path / 'masks').mkdir(exist_ok=True)
        (tmp_path / f'masks/{name}.png').write_bytes(image())
    return tmp_path


def boxes(root, **options):
    return VOCMasks(str(root), 'bbox', 'images', names=['cow', 'dog', 'gnu'], **options)


def pngs(root):
    return PNGMasks('masks', 'images', str(root))


def sample(root, name):
    return dict(img_path=str(root / 'images' / name), ori_shape=SHAPE, gt_label=0)


@pytest.mark.parametrize('make', [boxes, pngs])
def test_mask_is_found_by_its_stem(root, make):
    source = make(root)
    source.check()
    assert source(sample(root, 'cow/1.jpg')).mask.any()
    assert source(sample(root, 'dog/ä.jpg')) is None
    assert source.keys() == ['images/cow/1', 'images/dog/2']
    assert source.missing(['images/cow/1.jpg', 'images/dog/ä.jpg']) == [
        'images/dog/ä.jpg'
    ]


@pytest.mark.parametrize('make', [boxes, pngs])
def test_stem_of_two_images_is_refused_for_both_and_for_no_other(root, make):
    (root / 'images/dog/1.jpg').write_bytes(image())
    source = make(root)
    for call in (
        source.check,
        lambda: source(sample(root, 'cow/1.jpg')),
        lambda: source(sample(root, 'dog/1.jpg')),
    ):
        with pytest.raises(MaskError, match="2 images by its stem, 'cow/1', 'dog/1': "):
            call()
    assert source(sample(root, 'dog/2.jpg')).mask.any()
    (root / 'masks/dog').mkdir()  # the remedy
    (root / 'masks/cow').mkdir()
    (root / 'masks/dog/1.png').write_bytes(image())
    (root / 'masks/1.png').rename(root / 'masks/cow/1.png')
    source = pngs(root)
    source.check()
    assert source(sample(root, 'dog/1.jpg')).mask.any()


def test_mask_of_an_image_at_the_top_is_no_other_images(root):
    (root / 'images/1.jpg').write_bytes(image())
    source = pngs(root)
    source.check()
    assert source(sample(root, '1.jpg')).mask.any()
    assert source(sample(root, 'cow/1.jpg')) is None


def test_mask_in_both_places_is_refused_by_the_check(root):
    (root / 'masks/cow').mkdir()
    (root / 'masks/cow/1.png').write_bytes(image())
    with pytest.raises(MaskError, match="'images/cow/1' has several masks.*its stem"):
        pngs(root).check()


def test_instances_take_the_flat_xml(root):
    folder = root / 'SegmentationObject'
    (root / 'masks').rename(folder)
    source = VOCMasks(str(root), 'instances', 'images', names=['cow', 'dog', 'gnu'])
    assert source.mask_file('images/cow/1.jpg') == folder / '1.png'


@pytest.mark.parametrize(
    'make,first,second',
    [
        (boxes, 'Annotations/dog/ä.xml', 'Annotations/ä.xml'),
        (pngs, 'masks/dog/ä.png', 'masks/ä.png'),
    ],
)
def test_message_says_where_a_missing_mask_was_looked_for(root, make, first, second):
    loader = MaskLoader(make(root))
    places = f"(looked for '{root / first}' and '{root / second}')"
    result = loader.query(sample(root, 'dog/ä.jpg'), SHAPE)
    assert result.kind == 'missing' and places in result.reason
    with pytest.raises(MaskError) as caught:
        loader.check_missing(['images/dog/ä.jpg'])
    assert places in str(caught.value)


def test_folder_of_xml_files_may_have_any_name(root):
    (root / 'Annotations').rename(root / 'xml')
    assert boxes(root, annotations='xml')(sample(root, 'cow/1.jpg')).mask.any()
    np.testing.assert_array_equal(
        *(
            boxes(root, **one)(sample(root, 'cow/1.jpg')).mask
            for one in (dict(annotations='xml'), dict(masks='xml'))
        )
    )
    with pytest.raises(ValueError, match="'masks' and 'xml': leave `masks` out"):
        boxes(root, masks='masks', annotations='xml')


def test_image_of_another_folder_is_missing_without_a_place(root):
    with pytest.raises(MaskError, match='1 guided images have no mask in PNGMasks, fo'):
        MaskLoader(pngs(root)).check_missing(['other/1.jpg'])
