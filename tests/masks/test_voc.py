"""Pascal VOC: palettes, objects and boxes with manual results, and wrong files."""

import numpy as np
import pytest
from mmpretrain.datasets import VOC
from mmpretrain.registry import TASK_UTILS
from PIL import Image

from cfcn_plugin.masks import MaskError, MaskSizeError, VOCMasks

SHAPE = (3, 5)
AEROPLANE, BICYCLE, DOG = 1, 2, 12
CLASSES = np.array(
    [[0, 1, 1, 255, 12], [0, 1, 255, 255, 12], [0, 0, 0, 0, 0]], np.uint8
)
INSTANCES = np.array(
    [[0, 1, 1, 255, 3], [0, 2, 255, 255, 3], [0, 0, 0, 0, 0]], np.uint8
)
OBJECT = (
    '<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin>'
    '<ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>'
)
SIZE = '<size><width>5</width><height>3</height><depth>3</depth></size>'
OBJECTS = [
    ('aeroplane', 0, 2, 1, 3, 1),
    ('aeroplane', 1, 2, 2, 2, 2),
    ('dog', 0, 5, 1, 5, 2),
]


def write_png(root, values, folder='SegmentationClass'):
    file = root / folder / '2007_1.png'
    file.parent.mkdir(exist_ok=True)
    image = Image.fromarray(np.asarray(values, np.uint8))
    image.putpalette([level for i in range(256) for level in (i, 7, 255 - i)])
    image.save(file)
    return file


def write_xml(root, *objects, text=None, size=SIZE):
    file = root / 'Annotations' / '2007_1.xml'
    file.parent.mkdir(exist_ok=True)
    body = ''.join(OBJECT.format(*one) for one in objects)
    file.write_text(text or f'<annotation>{size}{body}</annotation>', encoding='utf-8')
    return file


def load(root, shape=SHAPE, gt_label=None, name='JPEGImages/2007_1.jpg', **options):
    results = dict(img_path=str(root / name), ori_shape=shape)
    if gt_label is not None:
        results['gt_label'] = gt_label
    return VOCMasks(str(root), **options)(results)


# ---- segmentation ----------------------------------------------------------


def test_all_classes_are_causal_and_void_is_unknown(tmp_path):
    file = write_png(tmp_path, CLASSES)
    record = load(tmp_path)
    np.testing.assert_array_equal(record.mask, np.isin(CLASSES, (AEROPLANE, DOG)))
    np.testing.assert_array_equal(record.ignore, CLASSES == 255)
    assert record.mask.dtype == record.ignore.dtype == np.uint8
    assert record.file == str(file)


def test_void_may_be_context(tmp_path):
    write_png(tmp_path, CLASSES)
    assert load(tmp_path, void='context').ignore is None


def test_each_class_has_its_plane_in_the_order_of_mmpretrain(tmp_path):
    write_png(tmp_path, CLASSES)
    record = load(tmp_path, objects='per_class')
    names = [VOC.METAINFO['classes'][label] for label in record.classes]
    assert names == ['aeroplane', 'dog']
    np.testing.assert_array_equal(record.mask, [CLASSES == AEROPLANE, CLASSES == DOG])


def test_label_chooses_the_images_own_class(tmp_path):
    write_png(tmp_path, CLASSES)
    dog = VOC.METAINFO['classes'].index('dog')
    mask = load(tmp_path, objects='label', gt_label=[dog]).mask
    np.testing.assert_array_equal(mask, CLASSES == DOG)
    with pytest.raises(MaskError, match=r'2007_1.png.: no object .*\[1\] \(bicycle\)'):
        load(tmp_path, objects='label', gt_label=1)


def test_classes_of_ones_own(tmp_path):
    write_png(tmp_path, CLASSES)
    record = load(tmp_path, objects='per_class', classes=['dog', 'cat'])
    assert record.classes.tolist() == [0]
    mask = load(tmp_path, categories=['dog']).mask
    np.testing.assert_array_equal(mask, CLASSES == DOG)


def test_image_without_a_file_has_no_mask_and_without_an_object_an_empty_one(tmp_path):
    assert load(tmp_path) is None
    write_png(tmp_path, np.full(SHAPE, 255))
    record = load(tmp_path)
    assert not record.mask.any() and record.ignore.all()


# ---- objects ---------------------------------------------------------------


@pytest.mark.parametrize(
    'difficult,causal,ignored',
    [
        ('ignore', (1, 3), (2, 255)),
        ('causal', (1, 2, 3), (255,)),
        ('skip', (1, 3), (255,)),
    ],
)
def test_objects_take_name_and_difficulty_from_the_xml(
    tmp_path, difficult, causal, ignored
):
    write_png(tmp_path, INSTANCES, 'SegmentationObject')
    write_xml(tmp_path, *OBJECTS)
    record = load(tmp_path, use='instances', difficult=difficult)
    np.testing.assert_array_equal(record.mask, np.isin(INSTANCES, causal))
    np.testing.assert_array_equal(record.ignore, np.isin(INSTANCES, ignored))
    record = load(tmp_path, use='instances', objects='per_class', difficult=difficult)
    assert record.classes.tolist() == [0, 11]


# ---- boxes -----------------------------------------------------------------


def test_boxes_count_from_one_with_the_last_pixel_inside(tmp_path):
    write_xml(tmp_path, *OBJECTS)
    record = load(tmp_path, use='bbox')
    np.testing.assert_array_equal(
        record.mask, [[0, 1, 1, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
    )
    np.testing.assert_array_equal(
        record.ignore, [[0, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
    )


def test_xml_without_a_size_takes_the_images(tmp_path):
    write_xml(tmp_path, OBJECTS[0], size='')
    assert load(tmp_path, use='bbox').mask.shape == SHAPE


def test_image_on_its_side_is_told_by_its_size(tmp_path):
    write_xml(tmp_path, OBJECTS[0])
    with pytest.raises(MaskSizeError) as caught:
        load(tmp_path, shape=SHAPE[::-1], use='bbox')
    assert caught.value.size == SHAPE


def test_names_of_ones_own(tmp_path):
    write_xml(tmp_path, ('cow, brown', 0, 1, 1, 2, 2))
    record = load(tmp_path, use='bbox', names=['cow, brown'], objects='per_class')
    assert record.classes.tolist() == [0] and record.mask.sum() == 4


def test_config_builds_the_source_and_check_compares_names(tmp_path):
    write_png(tmp_path, CLASSES)
    (tmp_path / 'JPEGImages').mkdir()
    made = TASK_UTILS.build(dict(type='VOCMasks', data_root=str(tmp_path)))
    assert made.keys() == ['JPEGImages/2007_1']
    with pytest.raises(MaskError, match="belong to no image.*'JPEGImages/2007_1'"):
        made.check()
    (tmp_path / 'JPEGImages' / '2007_1.jpg').touch()
    made.check()


def test_box_that_cvat_turned_is_named(tmp_path):
    attribute = (
        '<attributes><attribute><name>rotation</name><value>{}</value>'
        '</attribute></attributes></object>'
    )
    upright = OBJECT.format('dog', 0, 1, 1, 2, 2)
    for turn in ('0.0', '180.0', 'left'):
        one = upright.replace('</object>', attribute.format(turn))
        write_xml(tmp_path, text=f'<annotation>{one}</annotation>')
        assert load(tmp_path, use='bbox').mask.sum() == 4
    one = upright.replace('</object>', attribute.format(30))
    write_xml(tmp_path, text=f'<annotation>{one}</annotation>')
    with pytest.raises(MaskError, match="object 1, 'dog': .*'rotation' turns .* by 30"):
        load(tmp_path, use='bbox')


TURNED = (
    '<object><name>dog</name><robndbox><cx>{}</cx><cy>{}</cy><w>{}</w><h>{}</h>'
    '<angle>{}</angle></robndbox></object>'
)


@pytest.mark.parametrize(
    'box,mask',
    [
        ((2, 1, 4, 2, 0), [[1, 1, 1, 1, 0], [1, 1, 1, 1, 0], [0, 0, 0, 0, 0]]),
        ((2, 2, 4, 2, np.pi / 2), [[0, 1, 1, 0, 0]] * 3),
        # down to the right: clockwise, as roLabelImg draws it
        ((2, 2, 5, 1, np.pi / 4), np.eye(3, 5)),
    ],
)
def test_turned_box_of_rolabelimg_counts_from_the_corner(tmp_path, box, mask):
    write_xml(tmp_path, text=f'<annotation>{TURNED.format(*box)}</annotation>')
    np.testing.assert_array_equal(load(tmp_path, use='bbox').mask, mask)


@pytest.mark.parametrize(
    'box,message',
    [
        ((2, 1, 0, 2, 0), "numbers in <robndbox>, <w> and <h> over 0.*'0'"),
        ((2, 1, 3, 2, 45), '<angle> in radians.*45'),
        ((2, 1, 3, 2, '1_0'), '<angle> in radians.*1_0'),
        ((9, 9, 1, 1, 1), 'outside the image of 5 x 3'),
        ((0.5, 0.5, 0.4, 0.4, 0.3), 'look like fractions .* Pascal VOC has pixels'),
    ],
)
def test_wrong_turned_box_is_named(tmp_path, box, message):
    write_xml(tmp_path, text=f'<annotation>{TURNED.format(*box)}</annotation>')
    with pytest.raises(MaskError, match=message):
        load(tmp_path, use='bbox')


@pytest.mark.parametrize('box', [(0.1, 0.1, 0.9, 0.9), (0, 0, 1, 1), (0, 0, 1, 0.5)])
def test_fractions_are_no_pixels(tmp_path, box):
    write_xml(tmp_path, *OBJECTS, ('dog', 0, *box))
    with pytest.raises(MaskError, match='look like fractions .* Pascal VOC has pixels'):
        load(tmp_path, use='bbox')
    assert load(tmp_path, use='bbox', categories=['aeroplane']).mask.sum() == 2


def test_box_of_the_first_pixel_is_one(tmp_path):
    write_xml(tmp_path, ('dog', 0, 1, 1, 1, 1))
    np.testing.assert_array_equal(
        load(tmp_path, use='bbox').mask, np.eye(3, 5) * [1, 0, 0, 0, 0]
    )


# ---- wrong files -----------------------------------------------------------

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbb">'
    + ''.join(
        f'<!ENTITY b{i} "{f"&b{i - 1};" * 10 if i else "&b;"}">' for i in range(9)
    )
    + ']><annotation>&b8;</annotation>'
)
OUTSIDE = (
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annota'
)
WRONG_XML = {
    'bomb': (dict(text=BOMB), 'has a document type.*remove'),
    'entity of a file': (dict(text=OUTSIDE), 'has a document type'),
    'cut': (dict(text='<annotation><object>'), r'not XML \('),
    'no XML': (dict(text='\x00\x01'), r'not XML \('),
    'another root': (dict(text='<html/>'), "expected an <annotation>.*got 'html'"),
    'size of words': (dict(size='<size><width>five</width></size>'), "<size>.*'five'"),
    'endless size': (dict(size=SIZE.replace('5', '5' * 5000)), '<size>'),
    'another size': (dict(size=SIZE.replace('5', '50')), r'\(3, 50\), its image'),
}
WRONG_OBJECTS = {
    'no name': (('', 0, 1, 1, 2, 2), 'object 1: expected a <name>'),
    'strange name': (('gnu', 0, 1, 1, 2, 2), r"objects \['gnu'\].*`names`"),
    'NaN box': (('dog', 0, 'nan', 1, 2, 2), r"1, 'dog': expected four .*nan"),
    'box of words': (('dog', 0, 'x', 1, 2, 2), "four finite numbers.*'x'"),
    'inverted box': (('dog', 0, 3, 1, 2, 2), 'has no inside'),
    'box outside': (('dog', 0, 7, 1, 9, 2), 'lies outside the image of 5 x 3'),
    'difficult 2': (('dog', 2, 1, 1, 2, 2), "<difficult> 0 or 1, got '2'"),
}


@pytest.mark.parametrize('kind', WRONG_XML)
def test_wrong_xml_names_file_and_what_came(tmp_path, kind):
    wrong, message = WRONG_XML[kind]
    file = write_xml(tmp_path, *OBJECTS, **wrong)
    with pytest.raises(MaskError, match=message) as caught:
        load(tmp_path, use='bbox')
    assert f"'{file}'" in str(caught.value)


@pytest.mark.parametrize('kind', WRONG_OBJECTS)
def test_wrong_object_names_file_object_and_what_came(tmp_path, kind):
    wrong, message = WRONG_OBJECTS[kind]
    file = write_xml(tmp_path, wrong)
    with pytest.raises(MaskError, match=message) as caught:
        load(tmp_path, use='bbox')
    assert f"'{file}'" in str(caught.value)


@pytest.mark.parametrize('kind', sorted(set(WRONG_OBJECTS) - {'no name'}))
def test_object_that_no_category_asks_for_stops_nothing(tmp_path, kind):
    wrong, _ = WRONG_OBJECTS[kind]
    write_xml(tmp_path, ('aeroplane', 0, 2, 1, 3, 1), wrong)
    mask = load(tmp_path, use='bbox', categories=['aeroplane']).mask
    np.testing.assert_array_equal(mask, [[0, 1, 1, 0, 0], [0] * 5, [0] * 5])


def test_name_in_another_case_than_the_category_is_told(tmp_path):
    write_xml(tmp_path, ('Dog', 0, 1, 1, 2, 2))
    with pytest.raises(MaskError, match="category 'Dog' is not 'dog'"):
        load(tmp_path, use='bbox', categories=['dog'])


def test_instances_need_no_boxes(tmp_path):
    write_png(tmp_path, INSTANCES, 'SegmentationObject')
    write_xml(tmp_path, *OBJECTS[:2], ('dog', 0, 'x', 1, 5, 2))
    mask = load(tmp_path, use='instances').mask
    np.testing.assert_array_equal(mask, np.isin(INSTANCES, (1, 3)))


@pytest.mark.parametrize(
    'values,shape,message',
    [
        (CLASSES + (CLASSES == 12) * np.uint8(9), SHAPE, 'value 21, expected .* 20 cl'),
        (CLASSES, (3, 6), r'\(3, 5\), its image \(3, 6\)'),
    ],
)
def test_wrong_palette_names_file_and_what_came(tmp_path, values, shape, message):
    file = write_png(tmp_path, values)
    with pytest.raises(MaskError, match=message) as caught:
        load(tmp_path, shape)
    assert f"'{file}'" in str(caught.value)


def test_colours_are_no_palette(tmp_path):
    file = write_png(tmp_path, CLASSES)
    Image.new('RGB', SHAPE[::-1]).save(file)
    with pytest.raises(MaskError, match=r'palette .*\(3, 5, 3\).*not colours'):
        load(tmp_path)


def test_broken_png_is_named(tmp_path):
    file = write_png(tmp_path, CLASSES)
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(MaskError, match='cannot be read.*is it whole'):
        load(tmp_path)


def test_object_the_xml_does_not_have_is_named(tmp_path):
    write_png(tmp_path, INSTANCES, 'SegmentationObject')
    with pytest.raises(MaskError, match='2007_1.xml.*No such file.*`annotations`'):
        load(tmp_path, use='instances')
    write_xml(tmp_path, *OBJECTS[:2])
    with pytest.raises(MaskError, match="value 3, expected .* 2 XML file's objects"):
        load(tmp_path, use='instances')


def test_image_of_another_folder_names_the_option(tmp_path):
    with pytest.raises(MaskError, match="'other/a.jpg' is not below images='JPEG"):
        load(tmp_path, name='other/a.jpg')


@pytest.mark.parametrize(
    'wrong,message',
    [
        (dict(use='box'), "`use`.*segmentation.*instances.*bbox.*'box'"),
        (dict(void='causal'), "`void`.*ignore.*context.*'causal'"),
        (dict(difficult='drop'), "`difficult`.*'drop'"),
        (dict(names='gnu'), "`names` must be several names, got 'gnu'"),
        (dict(categories=['gnu']), r'^`names`: no category gnu'),
        (dict(objects='label', classes=['gnu']), 'no category gnu of `classes`'),
    ],
)
def test_wrong_option_names_argument_and_what_came(tmp_path, wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        VOCMasks(str(tmp_path), **wrong)
