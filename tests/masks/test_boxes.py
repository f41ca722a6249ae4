"""Boxes: every accepted file format, the pixel rule, every wrong file."""

import csv
import json

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS
from unbroken import unbroken

from cfcn_plugin.masks import BoxMasks, MaskError

HEADER = ('filename', 'x0', 'y0', 'x1', 'y1')
SHAPE = (4, 6)


def write_csv(root, rows, header=HEADER, name='boxes.csv'):
    with (root / name).open('w', newline='', encoding='utf-8') as stream:
        csv.writer(stream).writerows([header, *rows])
    return name


def write_json(root, content, name='boxes.json'):
    (root / name).write_text(json.dumps(content))
    return name


def mask_of(root, file, key='a.jpg', shape=SHAPE, **kwargs):
    record = BoxMasks(file, data_root=str(root), **kwargs)(
        dict(img_path=str(root / key), ori_shape=shape)
    )
    return None if record is None else record.mask


def box_mask(*boxes, shape=SHAPE):
    """Slow and by the rule: a pixel is inside when its centre is."""
    mask = np.zeros(shape, np.uint8)
    for j, k in np.ndindex(*shape):
        mask[j, k] = any(
            x0 <= k + 0.5 < x1 and y0 <= j + 0.5 < y1 for x0, y0, x1, y1 in boxes
        )
    return mask


# ---- accepted files --------------------------------------------------------

FILES = {
    'csv': lambda root: write_csv(root, [('a.jpg', 1, 1, 4, 3)]),
    'csv with other columns': lambda root: write_csv(
        root, [('cow', 'a.jpg', 1, 1, 4, 3)], ('label', *HEADER)
    ),
    'json list': lambda root: write_json(
        root, [dict(zip(HEADER, ('a.jpg', 1, 1, 4, 3)), label='cow')]
    ),
    'json object': lambda root: write_json(root, {'a.jpg': [[1, 1, 4, 3]]}),
    'json with numbers as text': lambda root: write_json(
        root, {'a.jpg': [['1', '1', '4', '3.0']]}
    ),
}


@pytest.mark.parametrize('kind', FILES)
def test_every_accepted_file_gives_the_same_mask(tmp_path, kind):
    mask = mask_of(tmp_path, FILES[kind](tmp_path))
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(
        mask,
        [
            [0, 0, 0, 0, 0, 0],
            [0, 1, 1, 1, 0, 0],
            [0, 1, 1, 1, 0, 0],
            [0, 0, 0, 0, 0, 0],
        ],
    )


def test_csv_with_a_byte_order_mark(tmp_path):
    text = 'filename,x0,y0,x1,y1\na.jpg,1,1,4,3\n'
    (tmp_path / 'boxes.csv').write_text(text, encoding='utf-8-sig')
    assert mask_of(tmp_path, 'boxes.csv').sum() == 6


def test_boxes_of_one_image_add_up(tmp_path):
    boxes = [(0, 0, 2, 2), (1, 1, 5, 4)]
    expected = box_mask(*boxes)
    file = write_csv(tmp_path, [('a.jpg', *box) for box in boxes])
    np.testing.assert_array_equal(mask_of(tmp_path, file), expected)
    file = write_json(tmp_path, {'a.jpg': boxes})
    np.testing.assert_array_equal(mask_of(tmp_path, file), expected)


def test_named_columns(tmp_path):
    header = ('image', 'left', 'top', 'right', 'bottom')
    file = write_csv(tmp_path, [('a.jpg', 1, 1, 4, 3)], header)
    mask = mask_of(tmp_path, file, path='image', box=header[1:])
    np.testing.assert_array_equal(mask, box_mask((1, 1, 4, 3)))


def test_xywh_is_corner_and_size(tmp_path):
    file = write_csv(tmp_path, [('a.jpg', 1, 1, 3, 2)])
    np.testing.assert_array_equal(
        mask_of(tmp_path, file, format='xywh'), box_mask((1, 1, 4, 3))
    )


def test_image_without_a_box_is_none(tmp_path):
    file = write_json(tmp_path, {'a.jpg': [[1, 1, 4, 3]], 'b.jpg': []})
    assert mask_of(tmp_path, file, 'b.jpg') is None
    assert mask_of(tmp_path, file, 'c.jpg') is None


def test_config_builds_the_source(tmp_path):
    file = write_csv(tmp_path, [('sub/a.jpg', 1, 1, 4, 3)])
    source = TASK_UTILS.build(
        dict(type='BoxMasks', ann_file=file, data_root=str(tmp_path))
    )
    record = source(dict(img_path=str(tmp_path / 'sub' / 'a.jpg'), ori_shape=SHAPE))
    assert record.mask.sum() == 6
    assert 'boxes.csv' in record.file and 'sub/a.jpg' in record.file


# ---- the pixel rule --------------------------------------------------------


@pytest.mark.parametrize(
    'low,high,inside',
    [
        (0, 6, [0, 1, 2, 3, 4, 5]),
        (1, 3, [1, 2]),
        (1.5, 3.5, [1, 2]),  # a centre on the lower edge is in, on the upper is out
        (1.51, 3.51, [2, 3]),
        (1.4, 1.6, [1]),
        (1.6, 2.4, []),
        (-3, 1, [0]),
        (5, 99, [5]),
        (-9, 99, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_pixel_is_inside_when_its_centre_is(tmp_path, low, high, inside):
    file = write_json(
        tmp_path, {'a.jpg': [[low, 0, high, 6]], 'b.jpg': [[0, low, 6, high]]}
    )
    row = mask_of(tmp_path, file, shape=(6, 6))[0]
    assert np.flatnonzero(row).tolist() == inside
    column = mask_of(tmp_path, file, 'b.jpg', shape=(6, 6))[:, 0]
    assert np.flatnonzero(column).tolist() == inside


def test_equals_the_slow_rule_on_random_boxes(tmp_path):
    rng = np.random.default_rng(0)
    corner = rng.uniform(-2, 4, (50, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(2.1, 6, (50, 2))], 1)
    file = write_json(
        tmp_path, {f'{i}.jpg': [box.tolist()] for i, box in enumerate(boxes)}
    )
    for i, box in enumerate(boxes):
        np.testing.assert_array_equal(
            mask_of(tmp_path, file, f'{i}.jpg'), box_mask(box)
        )


# ---- masks and images ------------------------------------------------------


def test_check_tells_names_that_differ_in_case(tmp_path):
    (tmp_path / 'A.jpg').touch()
    file = write_csv(tmp_path, [('a.jpg', 1, 1, 4, 3)])
    with pytest.raises(MaskError, match=r"'a.jpg' \(did you mean 'A.jpg'\?\)"):
        BoxMasks(file, str(tmp_path)).check()


def test_check_passes_when_each_box_has_its_image(tmp_path):
    (tmp_path / 'a.jpg').touch()
    source = BoxMasks(write_csv(tmp_path, [('a.jpg', 1, 1, 4, 3)]), str(tmp_path))
    assert source.keys() == ['a.jpg']
    source.check()


def test_check_names_boxes_of_unknown_images(tmp_path):
    file = write_csv(tmp_path, [('gone.jpg', 1, 1, 4, 3)])
    with pytest.raises(MaskError, match="1 image names of .*boxes.csv.*'gone.jpg'"):
        BoxMasks(file, str(tmp_path)).check()


@pytest.mark.parametrize(
    'box', [(6, 0, 8, 2), (0, 4, 2, 8), (-3, 0, 0, 2), (0, -3, 2, 0)]
)
def test_box_outside_the_image_names_box_image_file_and_size(tmp_path, box):
    file = write_csv(tmp_path, [('a.jpg', *box)])
    with pytest.raises(MaskError, match="'a.jpg'.*outside.* 6 x 4 pixels") as caught:
        mask_of(tmp_path, file)
    x0, y0, x1, y1 = map(float, box)
    assert f'from ({x0}, {y0}) to ({x1}, {y1})' in str(caught.value)
    assert str(tmp_path / file) in str(caught.value)


# ---- wrong files -----------------------------------------------------------

GOOD = ('a.jpg', 1, 1, 4, 3)
WRONG_ROWS = [
    (('b.jpg', 4, 1, 1, 3), r'line 3.*\[4.0, 1.0, 1.0, 3.0\] has no inside.*x1 > x0'),
    (('b.jpg', 1, 3, 4, 1), "line 3.*has no inside.*y1 > y0.*`format`.*'xyxy'"),
    (('b.jpg', 1, 1, 1, 3), 'line 3.*has no inside'),
    (('b.jpg', 'nan', 1, 4, 3), "line 3: expected four finite numbers.*'nan'"),
    (('b.jpg', 1, 1, 'inf', 3), "line 3: expected four finite numbers.*'inf'"),
    (('b.jpg', 1, 'one', 4, 3), "line 3: expected four finite numbers.*'one'"),
    (('b.jpg', 1, 1, '', 3), 'line 3: expected four finite numbers'),
    (('b.jpg', 1, 1), 'line 3: expected four finite numbers.*None'),
]


@pytest.mark.parametrize('row,message', WRONG_ROWS)
def test_wrong_line_of_a_csv_names_file_line_and_what_came(tmp_path, row, message):
    file = write_csv(tmp_path, [GOOD, row])
    with pytest.raises(MaskError, match=message) as caught:
        unbroken(BoxMasks(file, str(tmp_path)))
    assert f"'{tmp_path / file}'" in str(caught.value)


def test_size_without_an_inside_in_xywh_names_the_format(tmp_path):
    file = write_csv(tmp_path, [('a.jpg', 1, 1, -2, 3)])
    with pytest.raises(MaskError, match="has no inside.*'xywh'"):
        unbroken(BoxMasks(file, str(tmp_path), format='xywh'))


WRONG_JSON = [
    ('{"a.jpg": [[1, 1, 4,', 'not JSON'),
    ('', 'not JSON'),
    ('7', 'expected an object or a list, got int'),
    ('{"a.jpg": {"x0": 1}}', r"'a.jpg': expected a list of \[x0, y0, x1, y1\]"),
    ('{"a.jpg": [1, 1, 4, 3]}', r"'a.jpg': expected four finite numbers, got \[1\]"),
    ('{"a.jpg": [[1, 1, 4]]}', r"'a.jpg': expected four.*got \[1, 1, 4\]"),
    ('{"a.jpg": [[1, 1, NaN, 3]]}', "'a.jpg': expected four finite numbers.*nan"),
    ('{"a.jpg": [[1, 1, null, 3]]}', "'a.jpg': expected four finite numbers.*None"),
    ('{"a.jpg": [[4, 1, 1, 3]]}', "'a.jpg': box .* has no inside"),
    ('[{"filename": "a.jpg", "x0": 1}]', r"entry 0: \['y0', 'x1', 'y1'\] missing"),
    ('[["a.jpg", 1, 1, 4, 3]]', 'entry 0: expected an object'),
    ('[7]', 'entry 0: expected an object.*7'),
    ('{}', 'holds no box'),
    ('[]', 'holds no box'),
    ('{"a.jpg": []}', 'holds no box'),
    ('{"b": [], "a.jpg": [[1, 1, 2, 2]], "a.jpg": []}', "'a.jpg' occurs twice in one"),
]


@pytest.mark.parametrize('text,message', WRONG_JSON)
def test_wrong_json_names_file_place_and_what_came(tmp_path, text, message):
    (tmp_path / 'boxes.json').write_text(text)
    with pytest.raises(MaskError, match=message) as caught:
        unbroken(BoxMasks('boxes.json', str(tmp_path)))
    assert f"'{tmp_path / 'boxes.json'}'" in str(caught.value)


@pytest.mark.parametrize(
    'text,message',
    [
        ('', r"its header.*'filename', 'x0', 'y0', 'x1', 'y1'\] missing, got \[\]"),
        (
            'filename,x0,y0\na.jpg,1,1\n',
            r"\['x1', 'y1'\] missing, got .*`path` and `box`",
        ),
        ('filename,x0,y0,x1,y1\n', 'holds no box'),
        ('filename,x0,y0,x0,x1,y1\n', r"its header: \['x0'\] occur twice, got .*meant"),
        (
            'x0,y0,x1,y1,filename\n1,1,2,2,a,b.jpg\n',
            'line 2: 6 values, and 5 col.*quotes',
        ),
        ('filename,x0,y0,x1,y1\n' + 'a' * 200_000, 'not a CSV file .*field larger'),
    ],
)
def test_csv_without_columns_or_lines_says_so(tmp_path, text, message):
    (tmp_path / 'boxes.csv').write_text(text)
    with pytest.raises(MaskError, match=message) as caught:
        BoxMasks('boxes.csv', str(tmp_path))
    assert f"'{tmp_path / 'boxes.csv'}'" in str(caught.value)


@pytest.mark.parametrize(
    'name,message',
    [('boxes.csv', 'not a CSV file in UTF-8'), ('boxes.json', 'not JSON')],
)
def test_file_that_is_not_utf_8_is_named(tmp_path, name, message):
    text = 'filename,x0,y0,x1,y1\nä.jpg,1,1,2,2\n'
    (tmp_path / name).write_text(text, encoding='latin1')
    with pytest.raises(MaskError, match=message) as caught:
        BoxMasks(name, str(tmp_path))
    assert f"'{tmp_path / name}'" in str(caught.value)


def test_wrong_ending_names_the_right_ones(tmp_path):
    (tmp_path / 'boxes.txt').write_text('a.jpg 1 1 4 3')
    with pytest.raises(MaskError, match="boxes.txt'.*expected a .csv or .json"):
        BoxMasks('boxes.txt', str(tmp_path))


def test_missing_file_names_file_and_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match='its name or `data_root`') as caught:
        BoxMasks('boxes.csv', str(tmp_path))
    assert f"'{tmp_path / 'boxes.csv'}'" in str(caught.value)


@pytest.mark.parametrize(
    'wrong,message',
    [
        (dict(format='cxcywh'), "`format`.*xyxy.*xywh.*'cxcywh'"),
        (dict(box=('x', 'y')), r"`box`.*four.*\['x', 'y'\]"),
    ],
)
def test_wrong_option_names_argument_and_what_came(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        BoxMasks('boxes.csv', str(tmp_path), **wrong)


# ---- categories ------------------------------------------------------------

KINDS = ('filename', 'kind', 'x0', 'y0', 'x1', 'y1')


def kinds_csv(root):
    return write_csv(
        root,
        [
            ('a.jpg', 'cow', 0, 0, 2, 4),
            ('a.jpg', 'dog', 3, 0, 6, 4),
            ('b.jpg', 'dog', 0, 0, 6, 1),
        ],
        KINDS,
    )


def test_each_class_has_its_plane(tmp_path):
    source = BoxMasks(
        kinds_csv(tmp_path),
        str(tmp_path),
        category='kind',
        objects='per_class',
        classes=['dog', 'cow'],
    )
    record = source(dict(img_path=str(tmp_path / 'a.jpg'), ori_shape=SHAPE))
    assert record.classes.tolist() == [0, 1]
    np.testing.assert_array_equal(
        record.mask, [box_mask((3, 0, 6, 4)), box_mask((0, 0, 2, 4))]
    )


def test_label_chooses_the_images_own_boxes(tmp_path):
    source = BoxMasks(
        kinds_csv(tmp_path),
        str(tmp_path),
        category='kind',
        objects='label',
        classes={'dog': 5, 'cow': 2},
    )
    sample = dict(img_path=str(tmp_path / 'a.jpg'), ori_shape=SHAPE, gt_label=2)
    np.testing.assert_array_equal(source(sample).mask, box_mask((0, 0, 2, 4)))
    with pytest.raises(MaskError, match="boxes.csv', 'b.jpg': no object of .*label"):
        source(dict(sample, img_path=str(tmp_path / 'b.jpg')))


def test_categories_choose_among_boxes(tmp_path):
    mask = mask_of(tmp_path, kinds_csv(tmp_path), category='kind', categories=['dog'])
    np.testing.assert_array_equal(mask, box_mask((3, 0, 6, 4)))


def test_json_list_has_categories_too(tmp_path):
    file = write_json(tmp_path, [dict(zip(KINDS, ('a.jpg', 0, 0, 0, 2, 2)))])
    mask = mask_of(tmp_path, file, category='kind', categories=['0'])
    np.testing.assert_array_equal(mask, box_mask((0, 0, 2, 2)))


@pytest.mark.parametrize('row', [('b.jpg', '', 0, 0, 1, 1)])
def test_box_without_a_category_is_named(tmp_path, row):
    file = write_csv(tmp_path, [('a.jpg', 'cow', 0, 0, 2, 4), row], KINDS)
    with pytest.raises(MaskError, match="line 3: .* and a category in 'kind'"):
        unbroken(BoxMasks(file, str(tmp_path), category='kind'))


def test_unknown_category_is_named_with_those_there_are(tmp_path):
    with pytest.raises(MaskError, match="csv': no category cat of .*cow, dog"):
        BoxMasks(
            kinds_csv(tmp_path), str(tmp_path), category='kind', categories=['cat']
        )


def test_choice_without_a_column_names_both(tmp_path):
    with pytest.raises(ValueError, match=r"\['categories'\] need `category`"):
        BoxMasks(kinds_csv(tmp_path), str(tmp_path), categories=['dog'])


def test_object_of_boxes_has_the_category_last(tmp_path):
    file = write_json(tmp_path, {'a.jpg': [[1, 1, 4, 3, 'cow'], [0, 0, 1, 1, 'dog']]})
    mask = mask_of(tmp_path, file, category='kind', categories=['cow'])
    np.testing.assert_array_equal(mask, box_mask((1, 1, 4, 3)))
    file = write_json(tmp_path, {'a.jpg': [[1, 1, 4, 3]]})
    with pytest.raises(MaskError, match=r"category in 'kind', got \[1, 1, 4, 3\]"):
        unbroken(BoxMasks(file, str(tmp_path), category='kind'))


# ---- duplicates and names --------------------------------------------------


def test_line_that_stands_twice_changes_nothing(tmp_path):
    file = write_csv(tmp_path, [GOOD, GOOD])
    np.testing.assert_array_equal(mask_of(tmp_path, file), box_mask(GOOD[1:]))


def test_name_is_found_however_it_is_written(tmp_path):
    file = write_csv(tmp_path, [('./sub//a.jpg', *GOOD[1:])])
    assert mask_of(tmp_path, file, 'sub/a.jpg').sum() == 6


@pytest.mark.parametrize('name', ['../a.jpg', '/a.jpg'])
def test_name_that_leaves_the_data_root_names_its_line(tmp_path, name):
    file = write_csv(tmp_path, [GOOD, (name, *GOOD[1:])])
    with pytest.raises(MaskError, match=f"csv', line 3: path '{name}' (is|has)"):
        BoxMasks(file, str(tmp_path))


def test_line_without_a_name_is_named(tmp_path):
    file = write_csv(tmp_path, [GOOD, ('', *GOOD[1:])])
    with pytest.raises(MaskError, match='line 3: expected the name of an image'):
        BoxMasks(file, str(tmp_path))


def test_one_wrong_line_among_thousands_is_found(tmp_path):
    rows = [(f'{i}.jpg', 1, 1, 4, 3) for i in range(2000)]
    rows[1234] = ('1234.jpg', 4, 1, 1, 3)
    with pytest.raises(MaskError, match='line 1236: box .* has no inside'):
        unbroken(BoxMasks(write_csv(tmp_path, rows), str(tmp_path)))


def test_five_numbers_are_no_box(tmp_path):
    file = write_json(tmp_path, {'b.jpg': [[1, 1, 4, 3]], 'a.jpg': [[1, 1, 4, 3, 9]]})
    with pytest.raises(MaskError, match=r"'a.jpg': expected four.*\[1, 1, 4, 3, 9\]"):
        unbroken(BoxMasks(file, str(tmp_path)))


# ---- broken entries --------------------------------------------------------


def test_broken_box_is_its_images_error_and_no_other_images(tmp_path):
    file = write_csv(tmp_path, [GOOD, ('b.jpg', 4, 1, 1, 3), GOOD])
    source = BoxMasks(file, str(tmp_path))
    sample = dict(img_path=str(tmp_path / 'a.jpg'), ori_shape=SHAPE)
    np.testing.assert_array_equal(source(sample).mask, box_mask((1, 1, 4, 3)))
    with pytest.raises(MaskError, match="csv', 'b.jpg', line 3: box .* no inside"):
        source(dict(sample, img_path=str(tmp_path / 'b.jpg')))
    ((key, error),) = source.broken()
    assert key == 'b.jpg' and "csv', 'b.jpg', line 3: box" in str(error)


def test_object_without_a_column_is_broken_after_a_whole_one(tmp_path):
    whole = dict(zip(HEADER, GOOD))
    short = dict(filename='b.jpg', x0=1, y0=1, x1=4)
    source = BoxMasks(write_json(tmp_path, [whole, short]), str(tmp_path))
    ((key, error),) = source.broken()
    assert key == 'b.jpg' and 'entry 1: expected four finite numbers' in str(error)
    with pytest.raises(MaskError, match=r"entry 0: \['y1'\] missing, .*`box`"):
        BoxMasks(write_json(tmp_path, [short, whole]), str(tmp_path))


def test_box_of_a_category_that_is_not_asked_for_is_not_read(tmp_path):
    file = write_csv(
        tmp_path,
        [
            ('a.jpg', 'cow', 0, 0, 2, 4),
            ('a.jpg', 'dog', 'x', 0, 1, 1),
            ('b.jpg', 'dog', '', '', '', ''),
        ],
        KINDS,
    )
    source = BoxMasks(file, str(tmp_path), category='kind', categories=['cow'])
    sample = dict(img_path=str(tmp_path / 'a.jpg'), ori_shape=SHAPE)
    assert not source.broken()
    np.testing.assert_array_equal(source(sample).mask, box_mask((0, 0, 2, 4)))
    # an image without the chosen categories has an empty mask
    assert not source(dict(sample, img_path=str(tmp_path / 'b.jpg'))).mask.any()
    assert BoxMasks(file, str(tmp_path), category='kind', categories=['dog']).broken()


def test_an_unknown_option_is_named_and_not_taken_for_a_choice_of_categories():
    with pytest.raises(TypeError, match="'images'"):
        BoxMasks('boxes.csv', images='train')
