"""CVAT's "CVAT for images 1.1": each shape, names, what is left out, wrong files."""

import resource
import zipfile

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS
from unbroken import unbroken

from cfcn_plugin.masks import CVATMasks, MaskError, MaskLoader, MaskSizeError

SHAPE = (10, 20)
META = (
    '<meta><task><id>3</id><subset>train</subset><labels><label><name>cow</name>'
    '</label><label><name>grass</name></label><label><name>background</name>'
    '</label></labels></task></meta>'
)
OTHER = 'source="manual" occluded="0" z_order="0"'
BOX = f'<box label="cow" {OTHER} xtl="2.00" ytl="2.00" xbr="12.00" ybr="5.00"/>'
POLYGON = (
    f'<polygon label="grass" {OTHER} points="0.00,6.00;4.00,6.00;4.00,9.00;'
    '0.00,9.00"><attribute name="age">old</attribute></polygon>'
)


def image(*shapes, name='deep/a.jpg', size='width="20" height="10"'):
    return f'<image id="0" name="{name}" {size}>{"".join(shapes)}</image>'


def annotations(*images, meta=META):
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1'
        f'</version>{meta}{"".join(images)}</annotations>'
    )


def make(root, *images, kind='xml', **options):
    text = annotations(*images, **options)
    name = {'xml': 'a.xml', 'zip': 'cvat.zip', 'folder': 'cvat'}[kind]
    if kind == 'zip':
        with zipfile.ZipFile(root / name, 'w', zipfile.ZIP_DEFLATED) as target:
            target.writestr('annotations.xml', text)
            target.writestr('images/deep/a.jpg', b'no image')
    elif kind == 'folder':
        (root / name).mkdir()
        (root / name / 'annotations.xml').write_text(text)
    else:
        (root / name).write_text(text)
    return name


def source(root, *images, **options):
    return CVATMasks(make(root, *images), 'images', str(root), **options)


def sample(root, name='images/deep/a.jpg', shape=SHAPE):
    return dict(img_path=str(root / name), ori_shape=shape)


def box(x0, y0, x1, y1):
    mask = np.zeros(SHAPE, np.uint8)
    mask[y0:y1, x0:x1] = 1
    return mask


# ---- shapes ----------------------------------------------------------------


@pytest.mark.parametrize('kind', ['xml', 'zip', 'folder'])
def test_export_is_recognised_as_file_zip_and_folder(tmp_path, kind):
    name = make(tmp_path, image(BOX), kind=kind)
    made = TASK_UTILS.build(
        dict(type='CVATMasks', masks=name, images='images', data_root=str(tmp_path))
    )
    record = made(sample(tmp_path))
    np.testing.assert_array_equal(record.mask, box(2, 2, 12, 5))
    assert record.mask.dtype == np.uint8
    assert record.file == f"{tmp_path / name}', 'images/deep/a.jpg"
    assert made.keys() == ['images/deep/a.jpg']
    assert made.missing(['images/deep/a.jpg', 'images/b.jpg']) == ['images/b.jpg']


HALF = 2.5 / 2**0.5
X, Y = np.arange(20) + 0.5, np.arange(10)[:, None] + 0.5
SHAPES = {
    'polygon': (POLYGON, box(0, 6, 4, 9)),
    'box': (BOX, box(2, 2, 12, 5)),
    # centre (7, 4); a quarter turn about the centre
    'turned box': (
        '<box label="cow" xtl="4" ytl="3" xbr="10" ybr="5" rotation="90.0"/>',
        box(6, 1, 8, 7),
    ),
    # centre (8, 5); after the turn, the corners are 2.5 pixels from the centre
    'box as a rhomb': (
        f'<box label="cow" xtl="{8 - HALF}" ytl="{5 - HALF}" xbr="{8 + HALF}" '
        f'ybr="{5 + HALF}" rotation="45"/>',
        abs(X - 8) + abs(Y - 5) < 2.5,
    ),
    'ellipse': (
        '<ellipse label="cow" cx="8" cy="5" rx="4" ry="2"/>',
        ((X - 8) / 4) ** 2 + ((Y - 5) / 2) ** 2 <= 1,
    ),
    'turned ellipse': (
        '<ellipse label="cow" cx="8" cy="5" rx="4" ry="2" rotation="90"/>',
        ((X - 8) / 2) ** 2 + ((Y - 5) / 4) ** 2 <= 1,
    ),
    # rows of three: 0 1 1, 1 0 0
    'mask': (
        '<mask label="cow" rle="1, 3, 2" left="4" top="1" width="3" height="2"/>',
        box(5, 1, 7, 2) | box(4, 2, 5, 3),
    ),
    'mask that begins with a cause': (
        '<mask label="cow" rle="0, 4" left="18" top="8" width="2" height="2"/>',
        box(18, 8, 20, 10),
    ),
}


@pytest.mark.parametrize('kind', SHAPES)
def test_shape_is_drawn(tmp_path, kind):
    shape, mask = SHAPES[kind]
    np.testing.assert_array_equal(
        source(tmp_path, image(shape))(sample(tmp_path)).mask, mask
    )


def test_turn_is_clockwise(tmp_path):
    # the corner (2, 4) goes to the upper left after 30 degrees about (7, 5)
    shape = '<box label="cow" xtl="2" ytl="4" xbr="12" ybr="6" rotation="30"/>'
    mask = source(tmp_path, image(shape))(sample(tmp_path)).mask
    assert mask[3, 3] and mask[7, 10] and not mask[7, 3] and not mask[3, 10]


def test_labels_are_categories(tmp_path):
    made = source(
        tmp_path, image(BOX, POLYGON), objects='per_class', classes=dict(grass=0, cow=7)
    )
    record = made(sample(tmp_path))
    assert record.classes.tolist() == [0, 7]
    np.testing.assert_array_equal(record.mask, [box(0, 6, 4, 9), box(2, 2, 12, 5)])
    record = source(tmp_path, image(BOX, POLYGON), ignore=['grass'])(sample(tmp_path))
    np.testing.assert_array_equal(record.mask, box(2, 2, 12, 5))
    np.testing.assert_array_equal(record.ignore, box(0, 6, 4, 9))


def test_background_is_context_unless_an_option_names_it(tmp_path):
    ground = POLYGON.replace('"grass"', '"background"')
    mask = source(tmp_path, image(BOX, ground))(sample(tmp_path)).mask
    np.testing.assert_array_equal(mask, box(2, 2, 12, 5))
    mask = source(tmp_path, image(BOX, ground), categories=['background'])(
        sample(tmp_path)
    ).mask
    np.testing.assert_array_equal(mask, box(0, 6, 4, 9))


# ---- what is not asked for -------------------------------------------------


def test_shapes_without_an_area_are_left_out_and_counted(tmp_path, caplog):
    point = '<points label="cow" points="1.0,2.0"/>'
    line = '<polyline label="cow" points="1.0,2.0;3.0,4.0"/>'
    bones = f'<skeleton label="cow">{point}</skeleton>'
    tag = '<tag label="grass" source="manual"></tag>'
    made = source(
        tmp_path,
        image(BOX, tag, point, point, line, bones),
        image(tag, line, name='b.jpg'),
        image(name='c.jpg'),
    )
    np.testing.assert_array_equal(made(sample(tmp_path)).mask, box(2, 2, 12, 5))
    assert 'left out: 2 points, 2 polyline, 1 skeleton' in caplog.text
    assert made.keys() == ['images/deep/a.jpg']


WRONG_SHAPES = {
    'box without an inside': (BOX.replace('12.00', '1.00'), 'no inside'),
    'box of words': (BOX.replace('12.00', 'x'), 'four finite numbers'),
    'box without a corner': (BOX.replace('xbr', 'x2'), 'four finite numbers'),
    'box outside': (
        '<box label="cow" xtl="22" ytl="2" xbr="24" ybr="5"/>',
        'outside the image of 20 x 10',
    ),
    'turn of words': (BOX.replace('xtl', 'rotation="x" xtl'), 'finite numbers'),
    'polygon of two points': (
        '<polygon label="cow" points="1,2;3,4"/>',
        'at least 3 points',
    ),
    'polygon without points': ('<polygon label="cow"/>', 'points'),
    'flat ellipse': ('<ellipse label="cow" cx="8" cy="5" rx="0" ry="2"/>', "'rx' and"),
    'ellipse in fractions': (
        '<ellipse label="cow" cx="0.4" cy="0.5" rx="0.2" ry="0.3"/>',
        'look like fractions',
    ),
    'ellipse outside': (
        '<ellipse label="cow" cx="30" cy="5" rx="3" ry="2"/>',
        'outside the image',
    ),
    'short mask': (
        '<mask label="cow" rle="1, 3" left="4" top="1" width="3" height="2"/>',
        r"run lengths 'rle' that add up to 3 \* 2, got '1, 3'",
    ),
    'mask of words': (
        '<mask label="cow" rle="1, x" left="4" top="1" width="3" height="2"/>',
        "run lengths 'rle'",
    ),
    'mask over the edge': (
        '<mask label="cow" rle="1, 5" left="18" top="1" width="3" height="2"/>',
        'leaves the image of 20 x 10',
    ),
    'mask without bounds': ('<mask label="cow" rle="1, 5"/>', 'whole numbers'),
    'cuboid': ('<cuboid label="cow" xtl1="1"/>', "leave 'cow' out of `categories`"),
}


@pytest.mark.parametrize('kind', WRONG_SHAPES)
def test_wrong_shape_is_the_error_of_its_image_alone(tmp_path, kind):
    wrong, message = WRONG_SHAPES[kind]
    images = image(BOX), image(POLYGON, wrong, name='b.jpg')
    made = source(tmp_path, *images)
    assert made(sample(tmp_path)).mask.any()
    place = "a.xml', 'images/b.jpg', image 0, shape 1 "
    with pytest.raises(MaskError, match=f'{place}.*{message}'):
        made(sample(tmp_path, 'images/b.jpg'))
    assert [key for key, _ in made.broken()] == ['images/b.jpg']
    (tmp_path / 'images' / 'deep').mkdir(parents=True)
    for name in ('deep/a.jpg', 'b.jpg'):
        (tmp_path / 'images' / name).touch()
    with pytest.raises(MaskError, match=message):
        MaskLoader(made).check()
    # the shape's label is not asked for
    asked = unbroken(source(tmp_path, *images, categories=['grass']))
    np.testing.assert_array_equal(
        asked(sample(tmp_path, 'images/b.jpg')).mask, box(0, 6, 4, 9)
    )


def test_image_of_another_size_is_told(tmp_path):
    with pytest.raises(MaskSizeError, match=r'\(10, 20\), its image \(20, 10\)'):
        source(tmp_path, image(BOX))(sample(tmp_path, shape=(20, 10)))


# ---- wrong files -----------------------------------------------------------

WRONG_FILES = {
    'no annotations': ('<html/>', "the <annotations> of CVAT, got 'html'"),
    'video': (
        annotations('<track id="0" label="cow"></track>'),
        'has tracks, .*video 1.1": export from CVAT as "CVAT for images 1.1"',
    ),
    'cut': (annotations(image(BOX))[:200], 'not XML'),
    'document type': (
        f'<!DOCTYPE a [<!ENTITY b "c">]>{annotations()[39:]}',
        'document type',
    ),
    'no shape': (annotations(image()), 'holds no image with a shape'),
    'no name': (annotations('<image id="0"/>'), 'image 0: expected the name'),
    'name above the root': (annotations(image(name='../a.jpg')), r"has '\.\.'"),
    'size of words': (
        annotations(image(BOX, size='width="x" height="10"')),
        'image 0: expected whole numbers',
    ),
    'one name twice': (
        annotations(image(BOX), image().replace('id=', 'task_id="4" id=')),
        'deep/a.jpg.*2 images of the file have this name.*each task by itself',
    ),
}


@pytest.mark.parametrize('kind', WRONG_FILES)
def test_wrong_file_names_file_and_what_came(tmp_path, kind):
    text, message = WRONG_FILES[kind]
    (tmp_path / 'a.xml').write_text(text)
    with pytest.raises(MaskError, match=message) as caught:
        unbroken(CVATMasks('a.xml', 'images', str(tmp_path)))
    assert f"'{tmp_path / 'a.xml'}'" in str(caught.value)


def test_unknown_label_is_told_with_those_there_are(tmp_path):
    with pytest.raises(MaskError, match='no category Cow .*background, cow, grass'):
        source(tmp_path, image(BOX), categories=['Cow'])
    name = make(tmp_path, image(BOX), meta='')
    with pytest.raises(MaskError, match="category 'cow' is not 'Cow'"):
        CVATMasks(name, 'images', str(tmp_path), categories=['Cow'])


def test_both_exports_in_one_folder_are_refused(tmp_path):
    name = make(tmp_path, image(BOX), kind='folder')
    (tmp_path / name / 'labelmap.txt').write_text('cow:1,2,3::\n')
    with pytest.raises(MaskError, match='two exports: unpack each'):
        CVATMasks(name, 'images', str(tmp_path))


def test_annotations_that_fill_the_memory_are_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / 'cvat.zip', 'w', zipfile.ZIP_DEFLATED) as target:
        target.writestr('annotations.xml', b' ' * 2**25)
    with pytest.raises(MaskError, match='zip bomb'):
        CVATMasks('cvat.zip', data_root=str(tmp_path))


def test_mask_that_claims_ten_gigabytes_allocates_nothing(tmp_path):
    runs = ','.join(['0', '999999999'] * 10 + ['0', '10'])
    shape = (
        f'<mask label="cow" rle="{runs}" left="0" top="0" width="100000" '
        'height="100000"/>'
    )
    made = source(tmp_path, image(shape, size='width="100000" height="100000"'))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MaskSizeError, match=r'\(100000, 100000\), its image'):
        made(sample(tmp_path))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 200 * 1024
