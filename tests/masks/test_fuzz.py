"""For random files a source gives a mask of the image's size or a MaskError.

`make fuzz` runs more iterations.
"""

import copy
import json
import resource

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mask_formats import COCO, LABELME, STUDIO, Format
from PIL import Image

from cfcn_plugin.masks import (
    BoxMasks,
    COCOMasks,
    LabelMeMasks,
    LabelStudioMasks,
    MaskError,
    PNGMasks,
)
from cfcn_plugin.masks.errors import LONGEST

SHAPE = (4, 6)
MEGABYTES = 200  # that reading an image of 24 pixels may cost
# what a careless or a hostile hand writes
STRANGE = [
    b'null',
    b'true',
    b'-1',
    b'1e999',
    b'NaN',
    b'9' * 30,
    b'""',
    b'"../a"',
    b'[]',
    b'{}',
    b'[[]]',
    b'[null]',
    b'"\\ud800"',
    b'\0',
    b'\xff',
    b',',
    b'1_0',
    b'0.5',
    b'\xe0\xa5\xaf',
    b'<a/>',
    b'&b;',
    b' ',
    b'',
    b'\n',
    b'[' * 5000,
    b'9' * 5000,
    b'\xef\xbb\xbf',
    b'..\\..\\a',
    b'\\',
    'a\u0308\u2028'.encode(),
    '狗'.encode('gb18030'),
]
ENCODINGS = [
    'gb18030',
    'shift_jis',
    'cp1252',
    'utf-16',
    'utf-16-be',
    'utf-32',
    'utf-7',
    'utf-8-sig',
    'cp037',
    'foo',
    'hex',
    'idna',
    'undefined',
    'x' * 200,
]
NUMBERS = st.one_of(
    st.integers(-1, 8),
    st.floats(-1, 8),
    st.integers(),
    st.floats(),
    st.sampled_from([2**31, 2**32, 2**63, 10**30]),
)
TEXTS = st.sampled_from(
    [
        '',
        'a.jpg',
        '../a.jpg',
        '..\\a.jpg',
        'C:\\a.jpg',
        'a\u0308.jpg',
        '\u2028',
        '/etc/passwd',
        '\ud800',
        'http://127.0.0.1:9/x',
        'nan',
        '1_0',
        '1,5',
        '\u096f',
    ]
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8), TEXTS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(['size', 'counts', 'points', 'x', 'rle']), inner, max_size=3
        ),
    ),
    max_leaves=8,
)


def spans(length):
    """(start, stop, what takes the place) of pieces of so many bytes."""
    return st.lists(
        st.tuples(
            st.integers(0, length),
            st.sampled_from([0, 1, 1, 2, 4, 20, length]),
            st.one_of(st.sampled_from(STRANGE), st.binary(max_size=6)),
        ),
        min_size=1,
        max_size=3,
    )


def places(content, path=()):
    """Where in JSON there is a value."""
    yield path
    if isinstance(content, dict | list):
        inner = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in inner:
            yield from places(value, (*path, key))


def replaced(content, path, value):
    """JSON with another value at a place."""
    if not path:
        return value
    content = copy.deepcopy(content)
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return content


@st.composite
def encoded(draw, data):
    """Text in an encoding that its declaration, if XML, tells or does not tell."""
    said, used = draw(st.sampled_from(ENCODINGS)), draw(st.sampled_from(ENCODINGS))
    text = data.decode('utf-8', 'replace').replace('dog', '狗')
    if draw(st.booleans()):
        text = f'<?xml version="1.0" encoding="{said}"?>{text}'
    try:
        return text.encode(used, 'replace')
    except (LookupError, UnicodeError):
        return text.encode()


@st.composite
def mutants(draw, which):
    """A file's bytes: pieces or a value of JSON exchanged, encoded, or anything."""
    data = which.encoded()
    kinds = ['bytes', 'bytes', 'anything']
    if isinstance(which.content, dict | list):
        kinds += ['value', 'value', 'value']
    if not isinstance(which.content, bytes):
        kinds += ['encoding']
    kind = draw(st.sampled_from(kinds))
    if kind == 'anything':
        return draw(st.binary(max_size=200))
    if kind == 'value':
        path = draw(st.sampled_from(list(places(which.content))))
        try:
            return which.encoded(replaced(which.content, path, draw(VALUES)))
        except ValueError:  # a number too long to be written
            return data
    if kind == 'encoding':
        data = draw(encoded(data))
    for start, length, other in draw(spans(len(data))):
        data = data[:start] + other + data[start + length :]
    return data


def check(record):
    if record is None:
        return
    assert record.mask.shape[-2:] == SHAPE and record.mask.dtype == np.uint8
    assert record.mask.max(initial=0) <= 1
    if record.classes is not None:
        assert record.mask.shape[0] == len(record.classes)
    if record.ignore is not None:
        assert record.ignore.shape == SHAPE and record.ignore.max() <= 1


def test_whole_file_shows_something(tmp_path, any_format):
    record = any_format.read(tmp_path, any_format.encoded())
    check(record)
    assert record.mask.any()


def test_mutants_are_masks_or_mask_errors(tmp_path, any_format):

    @given(mutants(any_format))
    def read(data):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            check(any_format.read(tmp_path, data))
        except MaskError as error:
            assert len(str(error)) <= LONGEST
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert after - before < MEGABYTES * 1024

    read()


def with_dog(name, outline):
    """A file with cows, and with a dog of this outline."""
    if name == 'COCO':
        dog = dict(id=9, image_id=1, category_id=8, segmentation=outline)
        return {
            **COCO,
            'categories': [*COCO['categories'], dict(id=8, name='dog')],
            'annotations': [*COCO['annotations'], dog],
        }
    if name == 'LabelMe':
        dog = dict(label='dog', points=outline, shape_type=outline)
        return {**LABELME, 'shapes': [*LABELME['shapes'], dog]}
    if name == 'Label Studio':
        dog = dict(
            type='rectanglelabels',
            original_height=outline,
            value=dict(x=outline, rectanglelabels=['dog']),
        )
        results = STUDIO[0]['annotations'][0]['result']
        return [{**STUDIO[0], 'annotations': [dict(result=[*results, dog])]}]
    cow = dict(filename='a.jpg', x0=0, y0=0, x1=2, y1=2, kind='cow')
    return [cow, dict(cow, x1=outline, kind='dog')]


@pytest.mark.parametrize(
    'name,make',
    [
        ('COCO', lambda root: COCOMasks('x.json', root, categories=['cow'])),
        (
            'LabelMe',
            lambda root: LabelMeMasks('', '', root, radius=1, categories=['cow']),
        ),
        (
            'Label Studio',
            lambda root: LabelStudioMasks('x.json', data_root=root, categories=['cow']),
        ),
        (
            'boxes',
            lambda root: BoxMasks('x.json', root, category='kind', categories=['cow']),
        ),
    ],
)
def test_outline_that_no_category_asks_for_changes_no_mask(tmp_path, name, make):
    file = Format('a.json' if name == 'LabelMe' else 'x.json', '', make)
    cows = file.read(tmp_path, file.encoded(with_dog(name, [[0, 0, 2, 0, 2, 2]]))).mask
    assert cows.any()

    @given(VALUES)
    def read(outline):
        try:
            data = file.encoded(with_dog(name, outline))
        except ValueError:  # a number too long to be written
            return
        np.testing.assert_array_equal(file.read(tmp_path, data).mask, cows)

    read()


@pytest.mark.parametrize(
    'kind',
    [
        'COCO',
        'COCO boxes',
        'LabelMe',
        'Label Studio',
        'boxes',
        'boxes in CSV',
        'points',
        'points in CSV',
        'YOLO',
        'VOC boxes',
        'CUB boxes',
        'CUB names',
        'CVAT labels',
    ],
)
def test_digit_that_no_tool_writes_gives_no_other_mask(tmp_path, formats, kind):
    one = formats[kind]
    text = one.encoded().decode()
    whole = one.read(tmp_path, text.encode()).mask
    digits = [i for i, letter in enumerate(text) if letter.isdigit()]

    @given(st.sampled_from(digits), st.sampled_from('\u096f\uff10\u0663\xb2_'))
    def read(place, other):
        other = f'{text[place]}_0' if other == '_' else other
        data = text[:place] + other + text[place + 1 :]
        try:
            mask = one.read(tmp_path, data.encode()).mask
        except MaskError:
            return
        np.testing.assert_array_equal(mask, whole)  # a name, or a field not read

    read()


SIDES = st.tuples(st.integers(0, 62), st.integers(2, 64)).filter(lambda s: s[0] < s[1])


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=3), st.data())
def test_fractions_of_boxes_give_the_mask_of_their_pixels_or_an_error(
    tmp_path_factory, sides, data
):
    root = tmp_path_factory.getbasetemp()
    pixels = [[x0, y0, x1, y1] for (x0, x1), (y0, y1) in sides]
    fractions = [[number / 64 for number in box] for box in pixels]

    def read(boxes, **options):
        (root / 'x.json').write_text(json.dumps({'a.jpg': boxes}))
        return BoxMasks('x.json', str(root), **options)(
            dict(img_path=str(root / 'a.jpg'), ori_shape=(64, 64))
        ).mask

    np.testing.assert_array_equal(read(fractions, normalized=True), read(pixels))
    mixed = data.draw(st.integers(0, len(pixels) - 1))
    with pytest.raises(MaskError):
        read([*pixels[:mixed], fractions[mixed], *pixels[mixed + 1 :]])
    with pytest.raises(MaskError):
        read(
            [*fractions[:mixed], pixels[mixed], *fractions[mixed + 1 :]],
            normalized=True,
        )


SHADES = st.sampled_from(
    [
        (0, 0, 0),
        (255, 255, 255),
        (128, 128, 128),
        (255, 0, 0),
        (0, 0, 128),
        (254, 254, 254),
    ]
)


@given(colours=st.lists(SHADES, min_size=2, max_size=3), data=st.data())
def test_no_context_is_shown_brighter_than_the_cause(tmp_path, colours, data):
    index = st.integers(0, len(colours) - 1)
    values = data.draw(st.lists(index, min_size=24, max_size=24))
    image = Image.fromarray(np.array(values, np.uint8).reshape(SHAPE))
    image.putpalette([part for colour in colours for part in colour])
    image.save(tmp_path / 'a.png')
    try:
        mask = PNGMasks('', data_root=str(tmp_path))(
            dict(img_path=str(tmp_path / 'a.jpg'), ori_shape=SHAPE)
        ).mask
    except MaskError:
        return
    grey = np.asarray(image.convert('RGB').convert('L'))
    assert grey[mask == 0].max(initial=0) <= grey[mask == 1].min(initial=255)
    assert mask.any() or not (grey == 255).any()
