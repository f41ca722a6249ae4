"""Numbers of files: what is one, and every reader refuses what is none."""

import copy
from fractions import Fraction

import numpy as np
import pytest

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.io.numbers import is_whole, read_number, read_whole

NO_NUMBERS = [
    True,
    False,
    np.True_,
    None,
    [],
    {},
    '',
    ' ',
    '1_0',
    '0.1_5',
    '९',
    '０',
    '１',
    '1,5',
    '0x10',
    'nan',
    'inf',
    '-Infinity',
    '1e400',
    float('nan'),
    float('inf'),
    10**400,
    '9' * 5000,
    b'1',
    'one',
    '1 2',
    '−1',
]


@pytest.mark.parametrize('value', NO_NUMBERS, ids=lambda value: repr(value)[:12])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match='expected a finite number, got '):
        read_number(value)
    if type(value) is not int:  # 10**400
        assert not is_whole(value)
        with pytest.raises(ValueError, match='a whole number from 0, got '):
            read_whole(value)


@pytest.mark.parametrize(
    'value,number',
    [
        (12, 12.0),
        (1.5, 1.5),
        (' 12 ', 12.0),
        ('-1.5e-2', -0.015),
        ('+.5', 0.5),
        ('7.', 7.0),
        (np.int64(3), 3.0),
        (np.float32(0.5), 0.5),
        (Fraction(1, 4), 0.25),
        ('-0', 0.0),
        (2**53, 2.0**53),
    ],
)
def test_numbers_and_decimal_text_are_numbers(value, number):
    assert type(read_number(value)) is float and read_number(value) == number


@pytest.mark.parametrize(
    'value,number', [(0, 0), ('0', 0), (' 12\n', 12), ('007', 7), (np.uint8(4), 4)]
)
def test_whole_numbers(value, number):
    assert type(read_whole(value)) is int and read_whole(value) == number


@pytest.mark.parametrize('value', [-1, 1.0, 1.5, '1.0', '+1', '-1'])
def test_whole_numbers_have_no_sign_and_no_point(value):
    with pytest.raises(ValueError, match='whole'):
        read_whole(value)


# ---- every reader ------------------------------------------------------------

OBJECT, REGIONS = ('annotations', 0), (0, 'annotations', 0, 'result')
PLACES = [
    *(
        ('COCO', place)
        for place in (
            ('images', 0, 'id'),
            ('images', 0, 'width'),
            ('categories', 0, 'id'),
            (*OBJECT, 'image_id'),
            (*OBJECT, 'category_id'),
            (*OBJECT, 'segmentation', 0, 1),
            ('annotations', 1, 'segmentation', 'size', 0),
            ('annotations', 1, 'segmentation', 'counts', 1),
        )
    ),
    ('COCO boxes', (*OBJECT, 'bbox', 1)),
    ('LabelMe', ('shapes', 0, 'points', 1, 0)),
    ('LabelMe', ('shapes', 3, 'points', 1)),
    *(
        ('Label Studio', (*REGIONS, *place))
        for place in (
            (0, 'original_width'),
            (0, 'value', 'points', 1, 0),
            (1, 'value', 'x'),
            (1, 'value', 'rotation'),
            (-1, 'value', 'rle', 8),
        )
    ),
    ('boxes', ('a.jpg', 0, 2)),
    ('points', (0, 'x')),
    ('points', (0, 'radius')),
]
TEXTS = [
    ('boxes in CSV', ',2,2'),
    ('points in CSV', 'jpg,1,2,'),
    ('points in CSV', '0.2'),
    ('YOLO', '0 0.5'),
    ('YOLO', '0.5 0.5'),
    ('VOC boxes', '<xmin>1'),
    ('VOC boxes', '<width>6'),
    ('CUB boxes', '1.0'),
    ('CVAT labels', '1,1,1'),
]


@pytest.mark.parametrize('value', [True, '1_0', '९'])
@pytest.mark.parametrize('kind,place', PLACES)
def test_json_readers_refuse_what_is_no_number(formats, tmp_path, kind, place, value):
    one = formats[kind]
    content = copy.deepcopy(one.content)
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(MaskError, match='expected|not in the file|in the same way'):
        one.read(tmp_path, one.encoded(content))


@pytest.mark.parametrize('value', ['1_0', '९', '０', 'true'])
@pytest.mark.parametrize('kind,there', TEXTS)
def test_text_readers_refuse_what_is_no_number(formats, tmp_path, kind, there, value):
    one = formats[kind]
    digit = next(i for i in reversed(range(len(there))) if there[i].isdigit())
    there_now = there[:digit] + value + there[digit + 1 :]
    assert there in one.content
    with pytest.raises(MaskError, match='expected'):
        one.read(tmp_path, one.content.replace(there, there_now, 1).encode())
