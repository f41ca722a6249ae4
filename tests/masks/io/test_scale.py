"""Pixels, fractions and percent: each source takes its scale and refuses the others."""

import json

import numpy as np
import pytest

from cfcn_plugin.masks import (
    BoxMasks,
    COCOMasks,
    LabelMeMasks,
    MaskError,
    PointMasks,
    YOLOMasks,
)
from cfcn_plugin.masks.io.scale import check_percent, check_scale, to_pixels

SHAPE = (40, 60)
BOX = (0.1, 0.1, 0.9, 0.9)  # x 6 to 53, y 4 to 35
MASK = np.zeros(SHAPE, np.uint8)
MASK[4:36, 6:54] = 1


def in_corners(box):
    x0, y0, x1, y1 = box
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def boxes(root, *outlines, **options):
    content = {'a.png': outlines[:1], 'b.png': outlines[1:]}
    (root / 'x.json').write_text(json.dumps(content))
    return BoxMasks('x.json', str(root), **options)


def boxes_with_size(root, *outlines, **options):
    return boxes(
        root,
        *((a, b, c - a, d - b) for a, b, c, d in outlines),
        format='xywh',
        **options,
    )


def coco(root, *outlines, **options):
    images = [
        dict(id=i, file_name=name, height=SHAPE[0], width=SHAPE[1])
        for i, name in enumerate(('a.png', 'b.png'))
    ]
    annotations = [
        dict(
            id=i,
            image_id=min(i, 1),
            category_id=1,
            bbox=[a, b, c - a, d - b],
            segmentation=[np.ravel(in_corners((a, b, c, d))).tolist()],
        )
        for i, (a, b, c, d) in enumerate(outlines)
    ]
    (root / 'x.json').write_text(
        json.dumps(
            dict(
                images=images,
                annotations=annotations,
                categories=[dict(id=1, name='cow')],
            )
        )
    )
    return COCOMasks('x.json', str(root), **options)


def coco_boxes(root, *outlines, **options):
    return coco(root, *outlines, use='bbox', **options)


def labelme(
    root, *outlines, kind='rectangle', points=lambda b: [b[:2], b[2:]], **options
):
    for name, some in (('a', outlines[:1]), ('b', outlines[1:])):
        (root / f'{name}.json').write_text(
            json.dumps(
                dict(
                    shapes=[
                        dict(label='cow', shape_type=kind, points=points(one))
                        for one in some
                    ]
                )
            )
        )
    return LabelMeMasks('', '', str(root), **options)


def labelme_polygons(root, *outlines, **options):
    return labelme(root, *outlines, kind='polygon', points=in_corners, **options)


SOURCES = [boxes, boxes_with_size, coco, coco_boxes, labelme, labelme_polygons]


def read(source, root, name='a.png', shape=SHAPE):
    return source(dict(img_path=str(root / name), ori_shape=shape)).mask


@pytest.mark.parametrize('make', SOURCES)
def test_fractions_need_the_option(tmp_path, make):
    with pytest.raises(
        MaskError,
        match='0.9 look like fractions of the image of 60 x '
        '40 pixels: set normalized=True if .*normalized=False if',
    ):
        read(make(tmp_path, BOX), tmp_path)
    np.testing.assert_array_equal(
        read(make(tmp_path, BOX, normalized=True), tmp_path), MASK
    )
    assert read(make(tmp_path, BOX, normalized=False), tmp_path).sum() == 1


@pytest.mark.parametrize('make', SOURCES)
@pytest.mark.parametrize(
    'normalized,wrong,message',
    [(None, BOX, 'look like fractions'), (True, (6, 4, 54, 36), 'the numbers pixels?')],
)
def test_one_object_in_another_scale_is_found(
    tmp_path, make, normalized, wrong, message
):
    good = BOX if normalized else (6, 4, 54, 36)
    np.testing.assert_array_equal(
        read(make(tmp_path, good, good, normalized=normalized), tmp_path), MASK
    )
    with pytest.raises(MaskError, match=message):
        read(
            make(tmp_path, good, good, wrong, normalized=normalized), tmp_path, 'b.png'
        )


@pytest.mark.parametrize('make', [boxes, coco_boxes, labelme])
def test_whole_image_as_fractions_is_not_the_first_pixel(tmp_path, make):
    with pytest.raises(MaskError, match='look like fractions'):
        read(make(tmp_path, (0, 0, 1, 1)), tmp_path)
    assert read(make(tmp_path, (0, 0, 1, 1), normalized=True), tmp_path).all()
    made = make(tmp_path, (-0.0, -0.0, 1, 1), normalized=False)
    assert read(made, tmp_path).sum() == 1


def test_image_of_one_pixel_has_one_scale(tmp_path):
    for normalized in (None, True, False):
        assert read(
            boxes(tmp_path, (0, 0, 1, 1), normalized=normalized), tmp_path, shape=(1, 1)
        ).all()


def points(root, *rows, **options):
    lines = ['image,x,y', *(f'a.png,{x},{y}' for x, y in rows)]
    (root / 'x.csv').write_text('\n'.join(lines))
    return PointMasks('x.csv', str(root), radius=0, **options)


@pytest.mark.parametrize(
    'rows', [[(0.5, 0.5)], [(0.5, 0.5), (30, 20)], [(30, 20), (0.25, 1)]]
)
def test_point_in_fractions_needs_the_option(tmp_path, rows):
    with pytest.raises(MaskError, match='look like fractions'):
        read(points(tmp_path, *rows), tmp_path)
    assert read(points(tmp_path, *rows, normalized=False), tmp_path).sum() == len(rows)


def test_points_in_fractions_by_the_option(tmp_path):
    mask = read(points(tmp_path, (0.5, 0.5), (0, 0), normalized=True), tmp_path)
    assert np.argwhere(mask).tolist() == [[0, 0], [20, 30]]
    with pytest.raises(MaskError, match='are the numbers pixels'):
        read(points(tmp_path, (0.5, 0.5), (30, 20), normalized=True), tmp_path)


def test_single_point_in_whole_numbers_is_a_pixel(tmp_path):
    mask = read(points(tmp_path, (1, 1), (30, 20)), tmp_path)
    assert np.argwhere(mask).tolist() == [[1, 1], [20, 30]]


def test_one_line_of_yolo_in_pixels_is_found(tmp_path):
    (tmp_path / 'a.txt').write_text('0 0.5 0.5 0.8 0.8\n')
    np.testing.assert_array_equal(
        read(YOLOMasks('', '', str(tmp_path)), tmp_path), MASK
    )
    (tmp_path / 'a.txt').write_text('0 0.5 0.5 0.8 0.8\n0 30 20 48 32\n')
    with pytest.raises(MaskError, match='line 2: expected fractions .* pixels?'):
        read(YOLOMasks('', '', str(tmp_path)), tmp_path)


def test_fractions_that_are_rounded_over_the_edge_are_fractions():
    assert to_pixels((-0.005, 0, 1, 1.005), (10, 20), True) == pytest.approx(
        [-0.1, 0, 20, 10.05]
    )
    with pytest.raises(MaskError, match='look like fractions'):
        check_scale((-0.005, 0, 1, 1.005), (10, 20))
    with pytest.raises(
        MaskError,
        match='within .0, 1., got numbers from 0 to 1.02.*'
        'pixels. If not, clip them to .0, 1.$',
    ):
        check_scale((0, 0, 1, 1.02), (10, 20), True)


@pytest.mark.parametrize('make', SOURCES)
def test_fractions_of_an_object_that_leaves_the_image_are_no_pixels(tmp_path, make):
    with pytest.raises(MaskError, match='1.2 look like fractions'):
        read(make(tmp_path, (-0.1, 0.1, 1.2, 0.9)), tmp_path)
    # the smallest box of whole pixels beside the first, and a point beside it
    assert read(make(tmp_path, (0, 0, 1, 2)), tmp_path).sum() == 2
    assert read(points(tmp_path, (1.2, 0.4)), tmp_path).sum() == 1


@pytest.mark.parametrize(
    'values,message',
    [
        ((0, 50, 0, 102), 'from 0 to 102: are the numbers pixels'),
        ((-2, 50, 0, 90), 'are the numbers pixels'),
        ((0, 0, 1, 0.5), 'look like frac'),
    ],
)
def test_percent_is_neither_pixels_nor_fractions(values, message):
    check_percent((-0.5, 0, 100.5, 1))
    with pytest.raises(MaskError, match=message):
        check_percent(values)
