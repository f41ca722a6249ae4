"""The assisted outline: boxes, strokes, and corrections that stay near."""

import numpy as np
import pytest
from drawing_photos import disc, iou, photograph

from cfcn_plugin.annotation.drawing.outlines import OutlineAssistant, Stroke, read_marks
from cfcn_plugin.masks import MaskError

IMAGE = photograph()
BOX = (90.0, 30.0, 210.0, 150.0)
INNER = Stroke(((120.0, 90.0), (180.0, 90.0)), 4.0, 1)


def propose(boxes, strokes=(), image=IMAGE, assistant=None):
    outline = (assistant or OutlineAssistant()).propose('a', image, boxes, strokes)
    mask = np.zeros(image.shape[:2], np.uint8)
    height, width = outline.mask.shape
    mask[outline.top :, outline.left :][:height, :width] = outline.mask
    return mask


def test_box_becomes_the_outline_of_its_object():
    assert iou(propose((BOX,)), disc()) > 0.98


def test_stroke_becomes_the_outline_of_its_object():
    assert iou(propose((), (INNER,)), disc()) > 0.98


def test_outline_of_a_large_photograph_is_as_near():
    large = photograph(1200, 1800)
    boxes = (tuple(6 * value for value in BOX),)
    assert iou(propose(boxes, image=large), disc(1200, 1800)) > 0.98


def test_boxes_that_lie_apart_are_parts_of_one_outline():
    image = np.concatenate([IMAGE, photograph(seed=1)], 1)
    second = tuple(np.add(BOX, (300, 0, 300, 0)))
    assert iou(propose((BOX, second), image=image), np.tile(disc(), 2)) > 0.97


def test_context_stroke_is_context_and_changes_what_is_near():
    context = Stroke(((105.0, 80.0), (105.0, 100.0)), 5.0, 0)
    mask = propose((BOX,), (context,))
    assert not mask[85:95, 102:108].any()
    np.testing.assert_array_equal(mask[:, 200:], propose((BOX,))[:, 200:])


def test_cause_stroke_outside_of_the_box_adds_what_the_box_has_cut_off():
    small = ((90.0, 30.0, 160.0, 150.0),)
    cut = propose(small)
    assert not cut[:, 165:].any()
    more = propose(small, (Stroke(((165.0, 90.0), (195.0, 90.0)), 4.0, 1),))
    assert more[88:92, 165:195].all() and iou(more, disc()) > iou(cut, disc())


def test_correction_is_the_same_with_and_without_the_outline_before():
    strokes = (Stroke(((105.0, 80.0),), 5.0, 0), Stroke(((120.0, 80.0),), 5.0, 1))
    assistant = OutlineAssistant()
    for count in range(3):
        again = propose((BOX,), strokes[:count], assistant=assistant)
    np.testing.assert_array_equal(again, propose((BOX,), strokes))


@pytest.mark.parametrize(
    'boxes,strokes',
    [
        ((), ()),
        ((), (Stroke(((9.0, 9.0),), 3.0, 0),)),
        (((400.0, 10.0, 500.0, 90.0),), ()),
        ((), (Stroke(((900.0, 9.0),), 3.0, 1),)),
    ],
)
def test_marks_of_nothing_are_told(boxes, strokes):
    with pytest.raises(MaskError, match='draw a box|outside of the image'):
        propose(boxes, strokes)


@pytest.mark.parametrize(
    'content',
    [
        None,
        [],
        {},
        dict(boxes=[[1, 2, 3]], strokes=[]),
        dict(boxes=[[1] * 5], strokes=[]),
        dict(boxes=[], strokes=[dict(points=[], radius=1, value=1)]),
        dict(boxes=[], strokes=[dict(points=[[1, 2]], radius=-1, value=1)]),
        dict(boxes=[], strokes=[dict(points=[[1, float('nan')]], radius=1, value=1)]),
        dict(boxes=[[0, 0, 1, 1]] * 300, strokes=[]),
    ],
)
def test_request_that_is_none_of_the_page_s_is_refused(content):
    with pytest.raises(MaskError, match='expected'):
        read_marks(content)


def test_request_of_the_page_is_read():
    assert read_marks(
        dict(
            boxes=[[1, 2, 3, 4]], strokes=[dict(points=[[5, 6]], radius=7, value=True)]
        )
    ) == (((1, 2, 3, 4),), (Stroke(((5, 6),), 7, 1),))
