"""Points in CSV and JSON: every accepted file, every wrong file."""

import json

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS
from unbroken import unbroken

from cfcn_plugin.masks import MaskError, PointMasks
from cfcn_plugin.masks.io.shapes import draw_stroke

SHAPE = (6, 8)  # a diagonal of 10


def write(root, text, name='points.csv'):
    (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


def mask_of(root, name, key='a.jpg', **kwargs):
    record = PointMasks(name, data_root=str(root), **kwargs)(
        dict(img_path=str(root / key), ori_shape=SHAPE)
    )
    return None if record is None else record.mask


FILES = {
    'csv': ('points.csv', 'image,x,y\na.jpg,2.5,3\nb.jpg,1,1\na.jpg,6,1\n'),
    'csv with radius': (
        'points.csv',
        'x,y,image,radius\n2.5,3,a.jpg,\n6,1,a.jpg,0.2\n',
    ),
    'csv with a byte order mark': (
        'points.csv',
        '\ufeffimage,x,y\na.jpg,2.5,3\na.jpg,6,1\n',
    ),
    'json list': (
        'points.json',
        json.dumps(
            [dict(image='a.jpg', x=2.5, y=3), dict(image='a.jpg', x=6, y=1, radius=0.2)]
        ),
    ),
    'json object': ('points.json', json.dumps({'a.jpg': [[2.5, 3], [6, 1, 0.2]]})),
}


@pytest.mark.parametrize('kind', FILES)
def test_every_accepted_file_gives_the_same_mask(tmp_path, kind):
    name, text = FILES[kind]
    mask = mask_of(tmp_path, write(tmp_path, text, name), radius=0.2)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(
        mask, draw_stroke([(2.5, 3)], 2, SHAPE) | draw_stroke([(6, 1)], 2, SHAPE)
    )


def test_pixel_radius_by_point_and_by_option(tmp_path):
    name = write(tmp_path, 'image,x,y,radius\na.jpg,2,3,\na.jpg,6,1,0\n')
    mask = mask_of(tmp_path, name, radius=1.5, unit='pixel')
    np.testing.assert_array_equal(
        mask, draw_stroke([(2, 3)], 1.5, SHAPE) | draw_stroke([(6, 1)], 0, SHAPE)
    )


def test_image_without_points_has_no_mask(tmp_path):
    assert mask_of(tmp_path, write(tmp_path, 'image,x,y\na.jpg,2,3\n'), 'b.jpg') is None


def test_config_keys_and_check(tmp_path):
    write(tmp_path, 'image,x,y\nimages/a.jpg,2,3\n')
    built = TASK_UTILS.build(
        dict(type='PointMasks', ann_file='points.csv', data_root=str(tmp_path))
    )
    assert built.keys() == ['images/a.jpg']
    with pytest.raises(MaskError, match="1 image names of '.*csv'.*'images/a.jpg'"):
        built.check()
    (tmp_path / 'images').mkdir()
    (tmp_path / 'images' / 'a.jpg').write_bytes(b'')
    built.check()


BAD = {
    'no column': ('image,x\na.jpg,1\n', r"its header: \['y'\] missing, got \['image'"),
    'zero bytes': ('', 'its header: .*missing, got'),
    'no line': ('image,x,y\n', 'holds no point'),
    'word': ('image,x,y\na.jpg,one,2\n', "line 2: expected finite numbers .*'one'"),
    'short line': ('image,x,y\na.jpg,1\n', 'line 2: expected finite numbers .*None'),
    'NaN': ('image,x,y\na.jpg,nan,2\n', "line 2: expected finite numbers .*'nan'"),
    'negative radius': (
        'image,x,y,radius\na.jpg,1,2,-1\n',
        "radius of 0 or more, got .*'-1'",
    ),
    'radius that is a word': ('image,x,y,radius\na.jpg,1,2,big\n', "radius.*'big'"),
    'leaves the root': ('image,x,y\n../a.jpg,1,2\n', r"path '../a.jpg' has '\.\.'"),
    'absolute': ('image,x,y\n/a.jpg,1,2\n', "path '/a.jpg' is absolute"),
    'not UTF-8': (b'image,x,y\n\xff.jpg,1,2\n', 'not a CSV file in UTF-8'),
}
BAD_JSON = {
    'no JSON': ('{', 'not JSON'),
    'text': ('"a"', 'expected an object or a list, got str'),
    'entry': ('[3]', r"entry 0: expected an object with \['image', .*\], got 3"),
    'names': ('[{"image": "a"}]', r"entry 0: \['x', 'y'\] missing"),
    'no list': ('{"a": 3}', r"'a': expected a list of \[x, y, radius\], got 3"),
    'one number': ('{"a": [[3]]}', r'finite numbers x, y and perhaps .*got \[3\]'),
    'no point': ('{"a": [3]}', r"'a': expected finite numbers .*got \[3\]"),
}


@pytest.mark.parametrize(
    'kind,name',
    [*((kind, 'points.csv') for kind in BAD), *((kind, 'a.json') for kind in BAD_JSON)],
)
def test_bad_file_names_file_line_and_expectation(tmp_path, kind, name):
    text, expected = (BAD if name == 'points.csv' else BAD_JSON)[kind]
    write(tmp_path, text, name)
    with pytest.raises(MaskError, match=expected) as caught:
        unbroken(PointMasks(name, data_root=str(tmp_path)))
    assert f"'{tmp_path / name}'" in str(caught.value)


def test_point_outside_the_image_is_an_error(tmp_path):
    name = write(tmp_path, 'image,x,y\na.jpg,9,3\n')
    with pytest.raises(MaskError, match="a.jpg': .* outside the image"):
        mask_of(tmp_path, name)


@pytest.mark.parametrize('name', ['gone.csv', 'gone.json'])
def test_missing_file_is_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=f'{name}.*does not exist'):
        PointMasks(name, data_root=str(tmp_path))


def test_other_endings_and_options_are_refused(tmp_path):
    with pytest.raises(MaskError, match=r'a.txt.*expected a .csv or .json file'):
        PointMasks('a.txt', data_root=str(tmp_path))
    with pytest.raises(ValueError, match=r'`radius` must be in \[0, .*got -1'):
        PointMasks('a.csv', radius=-1)
    with pytest.raises(ValueError, match="`unit` must be one of .*'fraction'"):
        PointMasks('a.csv', unit='fraction')
