"""An object keeps its pixels, and its new background shows no other object."""

import math

import pytest
import torch
from torchvision.transforms.functional import gaussian_blur

from cfcn_plugin.functional.compositing import (
    bounding_box,
    hole_of,
    pick_other_guided,
    soften,
    swap_background,
    swap_within_batch,
    without_object,
)


def box(rows=slice(10, 22), columns=slice(8, 20), size=32):
    mask = torch.zeros(1, size, size, dtype=torch.bool)
    mask[:, rows, columns] = True
    return mask


def plain(*colour, size=32):
    return torch.tensor(colour).view(1, -1, 1, 1).repeat(1, 1, size, size)


def test_sharp_swap_by_hand():
    images = torch.arange(4.0).view(1, 1, 2, 2)
    objects = torch.tensor([[[True, False], [False, False]]])
    nothing = torch.zeros_like(objects)
    swapped = swap_background(images, objects, images + 10, nothing, border=0)
    assert swapped.tolist() == [[[[0, 11], [12, 13]]]]


def test_far_inside_is_the_object_and_far_outside_the_background():
    image, background = torch.rand(2, 1, 3, 32, 32)
    swapped = swap_background(image, box(), background, box(slice(0, 1)), border=1.0)
    torch.testing.assert_close(swapped[..., 13:19, 11:17], image[..., 13:19, 11:17])
    torch.testing.assert_close(swapped[..., 26:, 24:], background[..., 26:, 24:])


def test_edge_is_soft_and_one_half_on_the_outline():
    soft = soften(box(), 2.0)[0, 0]
    assert 0.4 < soft[16, 8] < 0.6  # the first pixel inside
    torch.testing.assert_close(
        soft[16, 7] + soft[16, 8], torch.tensor(1.0), atol=1e-2, rtol=0
    )
    assert soften(box(), 0).unique().tolist() == [0, 1]


@pytest.mark.parametrize('size', [(32, 32), (41, 7), (224, 160)])
@pytest.mark.parametrize('border', [0.1, 0.5, 2.0, 3.3, 20.0])
def test_edge_is_torchvisions_gaussian_blur(size, border):
    objects = torch.rand(3, *size) > 0.7
    reach = min(math.ceil(3 * border), min(size) - 1)
    torch.testing.assert_close(
        soften(objects, border),
        gaussian_blur(objects[:, None].float(), 2 * reach + 1, border),
    )


@pytest.mark.parametrize('border', [0.0, 2.0])
def test_removed_object_leaves_the_colour_around_it(border):
    image = plain(0.2, 0.5, 0.8)
    with_object = torch.where(box()[:, None], 9.0, image)
    torch.testing.assert_close(
        without_object(with_object, box(), border), image, atol=1e-4, rtol=0
    )


def test_fill_follows_the_context_that_is_near():
    ramp = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
    objects = box(slice(20, 44), slice(6, 26), size=64)
    filled = without_object(torch.where(objects[:, None], 5.0, ramp), objects)
    assert (filled - ramp).abs()[:, 0][objects].mean() < 0.1  # its mean is 0.25


def test_image_that_is_object_all_over_becomes_its_mean():
    image = torch.rand(1, 3, 16, 16)
    everything = torch.ones(1, 16, 16, dtype=torch.bool)
    filled = without_object(image, everything)
    mean = image.mean((2, 3), keepdim=True).expand_as(image)
    assert (filled - mean).abs().mean() < (image - mean).abs().mean()
    assert filled.isfinite().all()


def test_bounding_box_holds_all_of_an_image_s_objects_and_no_more():
    objects = torch.zeros(3, 4, 5, dtype=torch.bool)
    objects[0, 1, 1] = objects[0, 2, 3] = True
    objects[1, 3, 4] = True
    boxes = bounding_box(objects)
    assert boxes[0].int().tolist() == [
        [0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0],
    ]
    assert torch.equal(boxes[1], objects[1])
    assert not boxes[2].any()


def test_next_guided_one_by_hand():
    guided = torch.tensor([True, False, True, True])
    # in the order 2, 0, 3
    other = pick_other_guided(guided, torch.tensor([0.5, 0.1, 0.2, 0.9]))
    assert other[guided].tolist() == [3, 0, 2]


def test_each_guided_object_is_on_the_next_guided_context():
    images = torch.arange(3.0).view(3, 1, 1, 1) + torch.zeros(3, 1, 4, 4)
    objects = torch.zeros(3, 4, 4, dtype=torch.bool)
    objects[:, 1, 1] = True
    guided = torch.tensor([True, True, False])
    swapped, is_swapped = swap_within_batch(
        images, objects, guided, torch.tensor([0.1, 0.2, 0.0]), border=0
    )
    assert torch.equal(is_swapped, guided)
    for own, other in ((0, 1.0), (1, 0.0)):
        assert swapped[own, 0, 1, 1] == own
        assert (swapped[own, 0][~objects[own]] == other).all()
    assert torch.equal(swapped[2], images[2])
    alone = torch.tensor([False, True, False])
    swapped, is_swapped = swap_within_batch(images, objects, alone, torch.rand(3))
    assert torch.equal(swapped, images) and not is_swapped.any()


@pytest.mark.parametrize('pixels', [False, True])
def test_image_without_an_object_or_without_a_context_is_as_unguided(pixels):
    images = torch.arange(3.0).view(3, 1, 1, 1) + torch.zeros(3, 1, 4, 4)
    objects = torch.zeros(3, 4, 4, dtype=torch.bool)
    objects[:, 1, 1] = True
    objects[2] = pixels
    given = images, objects, torch.ones(3, dtype=torch.bool)
    swapped, is_swapped = swap_within_batch(*given, torch.rand(3), border=0)
    assert is_swapped.tolist() == [True, True, False]
    assert swapped[:, 0, 3, 3].tolist() == [1, 0, 2]


def test_hole_is_the_object_or_its_box():
    corner = torch.tensor([[[True, True], [True, False]]])
    assert torch.equal(hole_of(corner, 'mask'), corner)
    assert hole_of(corner, 'box').all()
    with pytest.raises(ValueError, match="`hole` must be one of .*'round'"):
        hole_of(corner, 'round')


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_images_keep_their_precision(dtype):
    image, background = torch.rand(2, 1, 3, 32, 32)
    expected = swap_background(image, box(), background, box())
    found = swap_background(image.to(dtype), box(), background.to(dtype), box())
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), expected, atol=0.02, rtol=0)
    assert without_object(image.to(dtype), torch.ones(1, 32, 32) > 0).isfinite().all()


def test_autocast_of_a_training_step_changes_no_pixel():
    images, objects = torch.rand(2, 3, 32, 32), torch.ones(2, 32, 32) > 0
    objects[1] = box()[0]
    expected = without_object(images, objects)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(without_object(images, objects), expected)
