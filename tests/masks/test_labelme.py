"""LabelMe files: every shape type with manual results, and every wrong file."""

import base64
import json
from io import BytesIO

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS
from PIL import Image

from cfcn_plugin.masks import LabelMeMasks, MaskError, MaskSizeError
from cfcn_plugin.masks.io.shapes import draw_stroke, fill_polygon

SHAPE = (6, 8)
BOX = [[1, 1], [4, 3]]


def shape(points=BOX, kind='rectangle', label='cow', **fields):
    return dict(
        label=label,
        points=points,
        group_id=None,
        description='',
        shape_type=kind,
        flags={},
        **fields,
    )


def write(root, *shapes, name='images/a.json', **fields):
    """As LabelMe 5 writes; the image inside is no image, and is not read."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = dict(
        version='5.5.0',
        flags={},
        shapes=list(shapes),
        imagePath='a.jpg',
        imageData='not even base64',
        imageHeight=SHAPE[0],
        imageWidth=SHAPE[1],
    )
    path.write_text(json.dumps({**content, **fields}))
    return path


def source(root, **kwargs):
    return LabelMeMasks('images', 'images', data_root=str(root), **kwargs)


def read(root, *shapes, **kwargs):
    write(root, *shapes)
    return source(root, **kwargs)(sample(root))


def sample(root, size=SHAPE):
    return dict(img_path=str(root / 'images' / 'a.jpg'), ori_shape=size)


def box(x0, y0, x1, y1):
    mask = np.zeros(SHAPE, np.uint8)
    mask[y0:y1, x0:x1] = 1
    return mask


def encoded(mask, palette=None):
    stream = BytesIO()
    image = Image.fromarray(np.asarray(mask, bool if palette is None else np.uint8))
    if palette is not None:
        image.putpalette(palette)
    image.save(stream, 'PNG')
    return base64.b64encode(stream.getvalue()).decode()


# ---- shapes ----------------------------------------------------------------

SHAPES = {
    'rectangle': (shape(), box(1, 1, 4, 3)),
    'rectangle from the other corner': (shape([[4, 1], [1, 3]]), box(1, 1, 4, 3)),
    'rectangle over the edge': (shape([[-3, 4], [2, 99]]), box(0, 4, 2, 6)),
    'polygon': (shape([[1, 1], [4, 1], [4, 3], [1, 3]], 'polygon'), box(1, 1, 4, 3)),
    'type of early versions': (
        shape([[0, 0], [5, 0], [0, 5]], None),
        fill_polygon([[0, 0], [5, 0], [0, 5]], SHAPE),
    ),
    'circle': (shape([[4, 3], [4, 5]], 'circle'), draw_stroke([[4, 3]], 2, SHAPE)),
    'point': (shape([[4, 3]], 'point'), draw_stroke([[4, 3]], 1.5, SHAPE)),
    'points': (
        shape([[1, 1], [6, 4]], 'points'),
        draw_stroke([[1, 1]], 1.5, SHAPE) | draw_stroke([[6, 4]], 1.5, SHAPE),
    ),
    'line': (
        shape([[1, 1], [6, 4]], 'line'),
        draw_stroke([[1, 1], [6, 4]], 1.5, SHAPE),
    ),
    'line strip': (
        shape([[1, 1], [6, 4], [1, 5]], 'linestrip'),
        draw_stroke([[1, 1], [6, 4], [1, 5]], 1.5, SHAPE),
    ),
    'mask': (
        shape([[1, 1], [3, 2]], 'mask', mask=encoded([[1, 1, 1], [1, 1, 1]])),
        box(1, 1, 4, 3),
    ),
    'mask whose palette begins with white': (
        shape(
            [[1, 1], [4, 2]],
            'mask',
            mask=encoded([[0, 0, 0, 1], [0, 0, 0, 1]], [255, 255, 255, 0, 0, 0]),
        ),
        box(1, 1, 4, 3),
    ),
}


@pytest.mark.parametrize('kind', SHAPES)
def test_every_kind_of_shape(tmp_path, kind):
    one, expected = SHAPES[kind]
    record = read(tmp_path, one, radius=1.5)
    assert record.mask.dtype == np.uint8 and record.mask.any()
    np.testing.assert_array_equal(record.mask, expected)
    assert record.file == str(tmp_path / 'images' / 'a.json')


def test_radius_may_be_a_fraction_of_the_diagonal(tmp_path):
    record = read(tmp_path, shape([[4, 3]], 'point'), radius=0.2, unit='diagonal')
    np.testing.assert_array_equal(record.mask, draw_stroke([[4, 3]], 0.2 * 10, SHAPE))


def test_shapes_add_up_and_no_shape_is_an_empty_mask(tmp_path):
    record = read(tmp_path, shape(), shape([[5, 4], [7, 6]]))
    np.testing.assert_array_equal(record.mask, box(1, 1, 4, 3) | box(5, 4, 7, 6))
    assert not read(tmp_path).mask.any()


CORNERS = [[4, 1], [6, 3], [4, 5], [2, 3]]  # a square on its tip


@pytest.mark.parametrize(
    'fields',
    [
        dict(kind='oriented_rectangle'),
        dict(kind='rotation', direction=0.785),
        dict(kind='quadrilateral'),
        dict(rotation=45),
        dict(),
    ],
)
def test_rectangle_of_four_points_is_turned(tmp_path, fields):
    record = read(tmp_path, shape(CORNERS, **fields))
    np.testing.assert_array_equal(record.mask, fill_polygon(CORNERS, SHAPE))
    assert record.mask.sum() == 8


@pytest.mark.parametrize(
    'points,fields,message',
    [
        (BOX, dict(rotation=45), 'four corners .* got .2 points and a rotation of 45'),
        (CORNERS[:3], {}, 'four corners of a turned rectangle, got .3 points'),
        ([*CORNERS, [1, 1]], dict(kind='oriented_rectangle'), 'got .5 points'),
        (BOX, dict(kind='rotation'), 'at least 4 points, got 2'),
    ],
)
def test_turned_rectangle_needs_four_points(tmp_path, points, fields, message):
    with pytest.raises(MaskError, match=message):
        read(tmp_path, shape(points, **fields))


def test_labels_are_categories_and_what_is_ignored(tmp_path):
    shapes = (
        shape(label='cow'),
        shape([[5, 4], [7, 6]], label='dog'),
        shape([[0, 0], [2, 1]], label='haze'),
        shape([[4, 3]], 'point', 'grass'),
    )
    record = read(
        tmp_path,
        *shapes,
        objects='per_class',
        classes=dict(cow=4, dog=2),
        ignore=['haze'],
    )
    assert record.classes.tolist() == [2, 4]
    np.testing.assert_array_equal(record.mask, [box(5, 4, 7, 6), box(1, 1, 4, 3)])
    np.testing.assert_array_equal(record.ignore, box(0, 0, 2, 1))
    record = read(tmp_path, *shapes, categories=['dog'])
    np.testing.assert_array_equal(record.mask, box(5, 4, 7, 6))


def test_files_may_lie_in_a_folder_of_their_own(tmp_path):
    write(tmp_path, shape(), name='labelme/deep/a.json')
    built = TASK_UTILS.build(
        dict(
            type='LabelMeMasks',
            masks='labelme',
            images='images',
            data_root=str(tmp_path),
        )
    )
    image = dict(img_path=str(tmp_path / 'images/deep/a.jpg'), ori_shape=SHAPE)
    assert built(image).mask.sum() == 6
    assert built(sample(tmp_path)) is None


def test_file_without_sizes_and_with_a_byte_order_mark(tmp_path):
    path = write(tmp_path, shape(), imageHeight=None, imageWidth=None)
    path.write_bytes(b'\xef\xbb\xbf' + path.read_bytes())
    assert source(tmp_path)(sample(tmp_path)).mask.sum() == 6


def test_check_knows_files_beside_their_images(tmp_path):
    write(tmp_path, shape())
    (tmp_path / 'images' / 'A.jpg').write_bytes(b'')
    with pytest.raises(MaskError, match=r"'images/a' \(did you mean 'images/A'"):
        source(tmp_path).check()
    (tmp_path / 'images' / 'a.jpg').write_bytes(b'')
    source(tmp_path).check()


# ---- what is wrong ---------------------------------------------------------

BAD = {
    'no JSON': ('{"shapes": [', 'not JSON in UTF-8 .*is it whole'),
    'not UTF-8': (b'{"shapes": "\xff\xfe"}', 'not JSON in UTF-8'),
    'too deep': ('[' * 10**5, 'not JSON'),
    'a list': ('[]', 'expected an object, got list'),
    'zero bytes': ('', 'not JSON'),
    'no shapes': ('{"images": []}', r"a list `shapes` .*got .*\['images'\]"),
    'shapes that are none': ('{"shapes": [3]}', 'a list `shapes`'),
    'no label': (shape(label=None), 'shape 0: expected a text `label`, got None'),
    'unknown type': (shape(kind='cuboid'), "`shape_type` of .*'polygon'.*got 'cuboid'"),
    'type of no text': (shape(kind=['polygon']), r"`shape_type` of .*\['polygon'\]"),
    'three numbers': (
        shape([1, 2, 3], 'polygon'),
        r'\(polygon\): expected points \[\[x, y\], ...\] .*\[1, 2, 3\]',
    ),
    'half a point': (shape([[1, 2], [3]], 'polygon'), r'expected points .*\[3\]'),
    'two corners': (shape(BOX, 'polygon'), 'at least 3 points, got 2'),
    'NaN': (shape([[1, 2], [3, float('nan')]]), 'of finite numbers, got .*nan'),
    'infinite': (shape([[1, 2], [3, 1e400]]), 'of finite numbers, got .*inf'),
    'no points': (shape(None), 'expected points .*None'),
    'outside': (shape([[9, 1], [12, 3]]), 'outside the image of 8 x 6 pixels'),
    'point without radius': (shape([[1, 1]], 'point'), 'point has no inside.*`radius`'),
    'mask that is no base64': (shape(BOX, 'mask', mask='%'), 'is not base64'),
    'mask without a mask': (shape(BOX, 'mask', mask=None), 'base64, got None'),
    'mask beyond ASCII': (shape(BOX, 'mask', mask='\ufeff'), 'is not base64'),
    'mask that is no image': (shape(BOX, 'mask', mask='AAAA'), 'cannot be read'),
    'mask of another size': (
        shape(BOX, 'mask', mask=encoded([[1]])),
        r'height and width \(1, 1\), its box \(3, 4\)',
    ),
    'mask over the edge': (
        shape([[5, 1], [8, 3]], 'mask', mask=encoded([[1]])),
        'leaves the image',
    ),
    'other case': (shape(label='Cow'), "shape 0: category 'Cow' is not 'cow'"),
}


@pytest.mark.parametrize('kind', BAD)
def test_bad_file_names_file_expectation_and_remedy(tmp_path, kind):
    bad, text = BAD[kind]
    path = write(tmp_path, *([bad] if isinstance(bad, dict) else []))
    if not isinstance(bad, dict):
        path.write_bytes(bad.encode() if isinstance(bad, str) else bad)
    with pytest.raises(MaskError, match=text) as caught:
        source(tmp_path, **{} if kind == 'no label' else dict(categories=['cow']))(
            sample(tmp_path)
        )
    assert f"'{path}'" in str(caught.value)


@pytest.mark.parametrize(
    'kind',
    [
        kind
        for kind, (bad, _) in BAD.items()
        if isinstance(bad, dict) and bad.get('label') in (None, 'cow')
    ],
)
def test_shape_that_no_category_asks_for_stops_nothing(tmp_path, kind):
    bad, _ = BAD[kind]
    label = bad['label'] and 'dog'
    write(tmp_path, shape(), {**bad, 'label': label})
    record = source(tmp_path, categories=['cow'])(sample(tmp_path))
    write(tmp_path, shape())
    np.testing.assert_array_equal(record.mask, source(tmp_path)(sample(tmp_path)).mask)


def test_sizes_that_differ_are_seen_without_drawing(tmp_path):
    path = write(tmp_path, shape(), imageHeight=8, imageWidth=6)
    with pytest.raises(MaskSizeError, match=r'\(8, 6\), its image \(6, 8') as caught:
        source(tmp_path)(sample(tmp_path))
    assert f"'{path}': height" in str(caught.value) and caught.value.size == (8, 6)


@pytest.mark.parametrize(
    'wrong', [dict(radius=-1), dict(radius=float('nan')), dict(radius=1, unit='metre')]
)
def test_wrong_radius_is_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match='`radius` must|`unit` must'):
        source(tmp_path, **wrong)
