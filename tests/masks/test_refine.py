"""Refining marks to outlines by GrabCut."""

import numpy as np
import pytest

from cfcn_plugin.masks.refine import GrabCut

SHAPE = 96, 120


def ellipse(y, x, height, width, shape=SHAPE):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (((rows - y) / height) ** 2 + ((columns - x) / width) ** 2 <= 1).astype(
        np.uint8
    )


def photograph(objects, seed=0):
    """Green noise, with reddish noise where ``objects`` is 1."""
    noise = np.random.default_rng(seed).normal(0, 12, (*objects.shape, 3))
    colours = np.array([[60, 150, 70], [170, 80, 60]])[objects]
    return (colours + noise).clip(0, 255).astype(np.uint8)


def box(objects):
    rows, columns = objects.any(1).nonzero()[0], objects.any(0).nonzero()[0]
    mask = np.zeros_like(objects)
    mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 1
    return mask


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def test_a_box_becomes_the_outline():
    objects = ellipse(48, 60, 25, 40)
    refined = GrabCut()(photograph(objects), box(objects))
    assert iou(box(objects), objects) < 0.8
    assert iou(refined.mask, objects) > 0.95
    assert refined.ways == {'outline': 1}


def test_every_box_of_an_image_becomes_an_outline():
    first, second = ellipse(25, 30, 15, 20), ellipse(70, 90, 18, 22)
    marks = box(first) | box(second)
    refined = GrabCut()(photograph(first | second), marks)
    assert iou(refined.mask, first | second) > 0.95
    assert refined.ways == {'outline': 2}


def test_no_pixel_outside_of_a_box_becomes_causal():
    objects = ellipse(48, 60, 25, 40)
    mark = np.zeros_like(objects)
    mark[30:60, 30:60] = 1
    assert not (GrabCut()(photograph(objects), mark).mask & ~mark & 1).any()


def test_a_point_becomes_the_outline_around_it_and_stays_causal():
    objects = ellipse(48, 60, 20, 30)
    point = ellipse(48, 60, 4, 4)
    refined = GrabCut('inside')(photograph(objects), point)
    assert iou(refined.mask, objects) > 0.9
    assert (refined.mask[point > 0] == 1).all()


def test_another_object_of_the_same_colour_is_not_taken_by_a_point():
    objects, other = ellipse(48, 30, 20, 20), ellipse(48, 100, 15, 15)
    refined = GrabCut('inside')(photograph(objects | other), ellipse(48, 30, 4, 4))
    assert not (refined.mask & other).any()


def test_an_image_of_one_colour_gives_a_way_that_says_so():
    mark = box(ellipse(48, 60, 25, 40))
    refined = GrabCut()(np.full((*SHAPE, 3), 90, np.uint8), mark)
    assert set(refined.ways) <= {'core', 'ellipse', 'mark'}
    assert 0.2 * mark.sum() <= refined.mask.sum() <= mark.sum()


def test_a_box_of_the_whole_image_is_refined_from_a_core():
    objects = ellipse(48, 60, 40, 50)
    refined = GrabCut()(photograph(objects), np.ones(SHAPE, np.uint8))
    assert iou(refined.mask, objects) > 0.9
    assert refined.ways == {'core': 1}


def test_a_mark_of_one_pixel_stays():
    mark = np.zeros(SHAPE, np.uint8)
    mark[10, 10] = 1
    refined = GrabCut()(photograph(ellipse(48, 60, 25, 40)), mark)
    assert refined.mask.tolist() == mark.tolist()


def test_no_mark_gives_no_outline():
    for where in ('around', 'inside'):
        refined = GrabCut(where)(
            photograph(np.zeros(SHAPE, np.uint8)), np.zeros(SHAPE, np.uint8)
        )
        assert not refined.mask.any()
        assert not refined.ways


def test_a_large_photograph_is_refined_on_a_reduced_copy():
    objects = ellipse(480, 600, 250, 400, (960, 1200))
    refined = GrabCut()(photograph(objects), box(objects))
    assert refined.mask.shape == (960, 1200)
    assert iou(refined.mask, objects) > 0.95


def test_the_same_input_gives_the_same_outline():
    objects = ellipse(48, 60, 25, 40)
    image, mark = photograph(objects), box(objects)
    first = GrabCut()(image, mark).mask
    GrabCut()(photograph(objects, 1), mark)
    assert GrabCut()(image, mark).mask.tolist() == first.tolist()


def test_inputs_stay_as_they_were():
    objects = ellipse(48, 60, 25, 40)
    image, mark = photograph(objects), box(objects)
    before = image.copy(), mark.copy()
    GrabCut()(image, mark)
    assert (image == before[0]).all()
    assert (mark == before[1]).all()


def test_a_grey_image_is_refined():
    objects = ellipse(48, 60, 25, 40)
    grey = photograph(objects)[..., 1]
    for image in (grey, grey[..., None]):
        assert iou(GrabCut()(image, box(objects)).mask, objects) > 0.9


@pytest.mark.parametrize(
    ('image', 'said'),
    [
        (np.zeros((*SHAPE, 3), np.float32), 'float32'),
        (np.zeros((*SHAPE, 4), np.uint8), r'\(96, 120, 4\)'),
        (np.zeros((8, 9, 3), np.uint8), r'\(8, 9\)'),
    ],
)
def test_an_image_of_another_type_or_size_is_an_error(image, said):
    with pytest.raises(ValueError, match=said):
        GrabCut()(image, np.ones(SHAPE, np.uint8))


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('mark', 'about'),
        ('iterations', 0),
        ('margin', -1),
        ('size', 8),
        ('least', -1),
        ('reach', float('nan')),
        ('most', -0.1),
    ],
)
def test_an_option_out_of_range_is_an_error_with_its_name(option, value):
    with pytest.raises(ValueError, match=option):
        GrabCut(**{option: value})


@pytest.mark.parametrize('mark', ['around', 'inside'])
def test_a_cached_outline_is_the_outline(tmp_path, mark):
    objects = ellipse(48, 60, 25, 40)
    image, cached = photograph(objects), GrabCut(mark, cache=tmp_path / 'new')
    once = GrabCut(mark)(image, box(objects))
    for _ in range(2):
        again = cached(image, box(objects))
        assert again.mask.tolist() == once.mask.tolist()
        assert again.mask.dtype == np.uint8
        assert again.ways == once.ways
    assert len(files(tmp_path)) == 1


def test_a_changed_image_mark_or_option_is_another_entry(tmp_path):
    objects = ellipse(48, 60, 25, 40)
    image = photograph(objects)
    for options in ({}, dict(iterations=4)):
        GrabCut(cache=tmp_path, **options)(image, box(objects))
    GrabCut(cache=tmp_path)(photograph(objects, 1), box(objects))
    GrabCut(cache=tmp_path)(image, box(ellipse(48, 60, 26, 40)))
    assert len(files(tmp_path)) == 4


def test_a_damaged_entry_is_made_again(tmp_path):
    objects = ellipse(48, 60, 25, 40)
    image, refine = photograph(objects), GrabCut(cache=tmp_path)
    right = refine(image, box(objects)).mask
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    for damaged in (b'', whole[:-3], b'[1]' + whole, b'{}\n' + whole[-9:]):
        file.write_bytes(damaged)
        assert refine(image, box(objects)).mask.tolist() == right.tolist()
        assert file.read_bytes() == whole


def files(folder):
    return [file for file in folder.rglob('*') if file.is_file()]


def test_outline_that_touches_the_edge_all_around_is_no_outline():
    mark = box(ellipse(48, 60, 25, 40))
    rim = mark.copy()
    rim[34:62, 34:86] = 0  # a frame in the colour of an object, half of the mark
    assert not GrabCut()(photograph(rim), mark).ways['outline']
    inner = rim * 0
    inner[26:71, 24:97] = rim[26:71, 24:97]  # the same frame, away from the edge
    assert GrabCut()(photograph(inner), mark).ways == {'outline': 1}
