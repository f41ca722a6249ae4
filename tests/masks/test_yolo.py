"""YOLO: boxes and polygons with manual results, names and numbers, wrong lines."""

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS

from cfcn_plugin.masks import MaskError, YOLOMasks
from cfcn_plugin.masks.io.shapes import fill_polygon

SHAPE = (4, 8)
BOX = '1 0.25 0.5 0.25 0.5'  # x from 1 to 3, y from 1 to 3
POLYGON = '0 0.5 0 1 0 1 0.5 0.5 0.5'  # x from 4 to 8, y from 0 to 2
BOX_MASK = np.zeros(SHAPE, np.uint8)
BOX_MASK[1:3, 1:3] = 1
POLYGON_MASK = np.zeros(SHAPE, np.uint8)
POLYGON_MASK[0:2, 4:8] = 1


def write(root, *lines, encoding='utf-8'):
    file = root / 'labels' / 'train' / 'a.txt'
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('\n'.join(lines), encoding=encoding)
    return file


def load(root, name='images/train/a.jpg', gt_label=None, **options):
    results = dict(img_path=str(root / name), ori_shape=SHAPE)
    if gt_label is not None:
        results['gt_label'] = gt_label
    return YOLOMasks(data_root=str(root), **options)(results)


@pytest.mark.parametrize(
    'lines,mask',
    [
        ([BOX], BOX_MASK),
        ([POLYGON], POLYGON_MASK),
        ([BOX, POLYGON], BOX_MASK | POLYGON_MASK),
        ([BOX, '', BOX, '  '], BOX_MASK),
        (['0 0.5 0.5 1.005 1.005'], np.ones(SHAPE)),
    ],
)
def test_boxes_and_polygons_add_up(tmp_path, lines, mask):
    file = write(tmp_path, *lines)
    record = load(tmp_path)
    assert record.mask.dtype == np.uint8 and record.file == str(file)
    np.testing.assert_array_equal(record.mask, mask)


@pytest.mark.parametrize(
    'names', [['sky', 'cow'], {0: 'sky', 1: 'cow', 7: 'gnu'}, {'0': 'sky', '1': 'cow'}]
)
def test_names_choose_and_are_classes(tmp_path, names):
    write(tmp_path, BOX, POLYGON)
    np.testing.assert_array_equal(
        load(tmp_path, names=names, categories=['cow']).mask, BOX_MASK
    )
    record = load(tmp_path, names=names, objects='per_class')
    assert record.classes.tolist() == [0, 1]
    np.testing.assert_array_equal(record.mask, [POLYGON_MASK, BOX_MASK])
    mask = load(tmp_path, names=names, objects='label', gt_label=1).mask
    np.testing.assert_array_equal(mask, BOX_MASK)


def test_numbers_are_categories_without_names(tmp_path):
    write(tmp_path, BOX, POLYGON)
    record = load(tmp_path, objects='per_class', classes={'1': 30})
    assert record.classes.tolist() == [30]
    np.testing.assert_array_equal(record.mask, [BOX_MASK])


def test_image_without_a_file_has_no_mask_and_without_a_line_an_empty_one(tmp_path):
    assert load(tmp_path) is None
    write(tmp_path)
    assert not load(tmp_path).mask.any()


def test_config_builds_the_source_and_check_compares_names(tmp_path):
    write(tmp_path, BOX)
    (tmp_path / 'images' / 'train').mkdir(parents=True)
    made = TASK_UTILS.build(dict(type='YOLOMasks', data_root=str(tmp_path)))
    assert made.keys() == ['images/train/a']
    with pytest.raises(MaskError, match="belong to no image.*'images/train/a'"):
        made.check()
    (tmp_path / 'images' / 'train' / 'a.jpg').touch()
    made.check()


def test_missing_folder_names_the_option_as_it_is_called(tmp_path):
    with pytest.raises(FileNotFoundError, match="labels' does not .* correct `labels`"):
        YOLOMasks(data_root=str(tmp_path)).keys()


WRONG = {
    'no number': ('cow 0.5 0.5 0.1 0.1', "category's number first, got 'cow'"),
    'broken number': ('1.5 0.5 0.5 0.1 0.1', "number first, got '1.5'"),
    'endless number': ('1' * 5000 + ' 0.5 0.5 0.1 0.1', "number first, got '111"),
    'negative number': ('-1 0.5 0.5 0.1 0.1', "number first, got '-1'"),
    'unknown number': ('2 0.5 0.5 0.1 0.1', 'category 2 is none of the 2 `names`'),
    'three numbers': ('1 0.5 0.5 0.1', "4 numbers .* got '0.5 0.5 0.1'"),
    'a confidence': ('1 0.5 0.5 0.1 0.1 0.99', 'even count of 6'),
    'odd polygon': ('1 0 0 1 0 1 1 0', 'even count of 6'),
    'words': ('1 a b c d', "4 numbers .* got 'a b c d'"),
    'NaN box': ('1 nan 0.5 0.1 0.1', "4 numbers .* got 'nan 0.5 0.1 0.1'"),
    'NaN polygon': ('1 nan 0 1 0 1 1', "4 numbers .* got 'nan 0 1"),
    'box of no width': ('1 0.5 0.5 0 0.1', 'no inside.*width and height must be'),
    'inverted box': ('1 0.5 0.5 -0.1 0.1', 'no inside'),
    'box in pixels': ('1 4 2 2 2', 'are the numbers pixels'),
    'box over the edge': ('1 0.9 0.5 0.5 0.1', r'within \[0, 1\]'),
    'polygon in pixels': ('1 0 0 5 0 5 5', 'are the numbers pixels'),
}


@pytest.mark.parametrize('kind', WRONG)
def test_wrong_line_names_file_line_and_what_came(tmp_path, kind):
    line, message = WRONG[kind]
    file = write(tmp_path, BOX, line)
    with pytest.raises(MaskError, match=message) as caught:
        load(tmp_path, names=['sky', 'cow'])
    assert f"'{file}', line 2: " in str(caught.value)


@pytest.mark.parametrize(
    'kind',
    sorted(
        set(WRONG) - {'no number', 'broken number', 'endless number', 'negative number'}
    ),
)
def test_line_of_a_category_that_is_not_asked_for_stops_nothing(tmp_path, kind):
    line, _ = WRONG[kind]
    write(tmp_path, f'0 {POLYGON[2:]}', line)
    mask = load(tmp_path, names=['sky', 'cow'], categories=['sky']).mask
    np.testing.assert_array_equal(mask, POLYGON_MASK)


def test_classes_of_labelimg_are_no_labels(tmp_path):
    labels = write(tmp_path, BOX).parent
    (labels / 'classes.txt').write_text('sky\ncow\n')
    (tmp_path / 'images' / 'train').mkdir(parents=True)
    (tmp_path / 'images' / 'train' / 'a.jpg').touch()
    made = YOLOMasks(data_root=str(tmp_path))
    made.check()
    assert made.keys() == ['images/train/a']
    (tmp_path / 'images' / 'train' / 'classes.jpg').touch()
    assert made.keys() == ['images/train/a', 'images/train/classes']
    with pytest.raises(MaskError, match="classes.txt', line 1: .*number first, got"):
        load(tmp_path, 'images/train/classes.jpg')


def test_classes_of_labelimg_may_be_beside_the_images(tmp_path):
    (tmp_path / 'classes.txt').write_text('cow\n')
    (tmp_path / 'a.txt').write_text(BOX)
    (tmp_path / 'a.jpg').touch()
    YOLOMasks('', '', str(tmp_path)).check()


def test_file_that_cannot_be_read_is_named_and_ends_no_run(tmp_path, monkeypatch):
    write(tmp_path, BOX)

    def broken(*_, **__):
        raise OSError(5, 'Input/output error')

    monkeypatch.setattr('pathlib.Path.read_bytes', broken)
    with pytest.raises(MaskError, match="a.txt': .*Input/output error"):
        load(tmp_path)


def test_file_that_is_not_utf_8_is_named(tmp_path):
    write(tmp_path, 'ä', encoding='latin1')
    with pytest.raises(MaskError, match="a.txt': not text in UTF-8"):
        load(tmp_path)


@pytest.mark.parametrize(
    'wrong,error,message',
    [
        (dict(names='cow'), TypeError, "`names` must be several names, got 'cow'"),
        (dict(names=['cow'], categories=['gnu']), MaskError, 'no category gnu'),
        (dict(objects='label'), ValueError, 'needs `classes`'),
    ],
)
def test_wrong_option_names_argument_and_what_came(wrong, error, message):
    with pytest.raises(error, match=message):
        YOLOMasks(**wrong)


# ---- pose --------------------------------------------------------------------

BOX_OF_POSE = '0 0.5 0.5 0.5 0.5'  # x from 2 to 6, y from 1 to 3
POSES = {
    'two points': BOX_OF_POSE + ' 0.4 0.4 0.6 0.6',
    'three points, a triangle': '0 0.5 0.5 0.4 0.6 0.45 0.35 0.55 0.35 0.5 0.45',
    'points with visibility': BOX_OF_POSE + ' 0.4 0.4 1 0.6 0.6 1',
    'visibility 2 and a missing point': BOX_OF_POSE + ' 0.4 0.4 2 0 0 0',
    'an odd count': BOX_OF_POSE + ' 0.4 0.4 2',
    'seventeen points': BOX_OF_POSE + ' 0.4 0.4 2' * 17,
    'a point beyond the box': BOX_OF_POSE + ' 0.2 0.4 0.6 0.6',
}


@pytest.mark.parametrize('kind', POSES)
def test_pose_is_no_polygon(tmp_path, kind):
    file = write(tmp_path, POSES[kind])
    with pytest.raises(MaskError, match='keypoints=True .* keypoints=False') as caught:
        load(tmp_path)
    assert f"'{file}', line 1: a polygon, or a box and key points" in str(caught.value)
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:3, 2:6] = 1
    if kind != 'three points, a triangle':
        np.testing.assert_array_equal(load(tmp_path, keypoints=True).mask, mask)


def test_option_takes_lines_as_polygons(tmp_path):
    write(tmp_path, '0 0.5 0.5 0.75 0.5 0.75 0.75 0.5 0.8')
    assert load(tmp_path, keypoints=False).mask.sum() == 2


def test_one_line_that_is_annotated_wrongly_makes_no_polygons_of_pose(tmp_path):
    write(tmp_path, *[POSES['two points']] * 10, BOX_OF_POSE + ' 0.4 0.4 1 1')
    with pytest.raises(MaskError, match='line 1: a polygon, or a box and key points'):
        load(tmp_path)


POLYGONS = [
    '0 0.5 0.5 0.6 0.5 0.6 0.6 0.5 0.6',  # two right angles at the second point
    '0 0.1 0.1 0.9 0.1 0.5 0.9',
    '0 0.9 0.9 1 0.9 0.95 1',
    '0 0.5 0.25 0.75 0.75 0.25 0.75',
    '0 0.5 0.4 0.62 0.46 0.56 0.6 0.44 0.54',
]  # a turned box of YOLO OBB


@pytest.mark.parametrize('line', POLYGONS)
def test_line_that_is_no_box_with_points_is_a_polygon(tmp_path, line):
    write(tmp_path, line)
    polygon = np.reshape([*map(float, line.split()[1:])], (-1, 2)) * SHAPE[::-1]
    np.testing.assert_array_equal(load(tmp_path).mask, fill_polygon(polygon, SHAPE))


def test_lines_of_other_lengths_in_the_folder_tell_polygons(tmp_path):
    small = '0 0.5 0.5 0.45 0.6 0.55 0.62'
    file = write(tmp_path, small)
    with pytest.raises(MaskError, match='key points'):
        load(tmp_path)
    (file.parent / 'b.txt').write_text(small + ' 0.6 0.55 0.58 0.52')
    assert load(tmp_path).mask.shape == SHAPE


@pytest.mark.parametrize('number', ['1_0', '1.0', '\uff11', 'true', '-0'])
def test_category_that_is_no_number_is_named(tmp_path, number):
    write(tmp_path, BOX.replace('1', number, 1))
    with pytest.raises(MaskError, match="a category's number first, got '"):
        load(tmp_path)
