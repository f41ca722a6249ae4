"""Image and mask move by one draw, and what would leave masks behind is refused."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms as v1
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2

from cfcn_plugin.data import JointTransform

NEAREST = dict(interpolation=InterpolationMode.NEAREST)


def blob(height=24, width=32):
    y, x = np.mgrid[:height, :width]
    return (((y - 9) / 6) ** 2 + ((x - 20) / 8) ** 2 < 1).astype(np.uint8)


def image(mask):
    """An image that is white where the mask is 1."""
    return Image.fromarray(mask * 255).convert('RGB')


def joined(transform):
    """Whether each pixel is white, and the mask, after the transform.

    Of a tensor, since nearest neighbour of Pillow is at another place in a cell.
    """
    moved, planes = JointTransform(v2.Compose([v2.ToImage(), transform]))(
        image(blob()), blob()[None]
    )
    return np.asarray(moved[0]) > 127, planes[0].astype(bool)


@pytest.mark.parametrize(
    'transform',
    [
        v2.RandomHorizontalFlip(1.0),
        v2.RandomVerticalFlip(1.0),
        v2.CenterCrop(12),
        v2.RandomCrop(20, padding=6),
        v2.RandomResizedCrop(16, **NEAREST),
        v2.Resize((12, 20), **NEAREST),
        v2.RandomAffine(40, (0.1, 0.1), shear=10, **NEAREST),
        v2.RandomRotation(45, expand=True, **NEAREST),
        v2.RandomPerspective(0.4, 1.0, **NEAREST),
        v2.Pad(3),
        v2.RandomApply([v2.RandomHorizontalFlip(1.0), v2.Pad(2)], 0.5),
        v2.RandomChoice([v2.RandomHorizontalFlip(1.0), v2.RandomVerticalFlip(1.0)]),
        v2.Compose(
            [v2.Compose([v2.RandomResizedCrop(16, **NEAREST)]), v2.ColorJitter(0.1)]
        ),
    ],
    ids=lambda t: type(t).__name__,
)
def test_a_mask_moves_as_its_image(transform):
    for seed in range(8):
        torch.manual_seed(seed)
        white, mask = joined(transform)
        np.testing.assert_array_equal(white, mask)


@pytest.mark.parametrize(
    'policy', [v2.RandAugment, v2.AutoAugment, v2.TrivialAugmentWide]
)
def test_operations_of_a_policy_that_move_pixels_move_the_mask(policy):
    moved = 0
    for seed in range(40):
        torch.manual_seed(seed)
        transform = policy()
        drawn = []
        apply = transform._apply_image_or_video_transform

        def geometric_only(image, name, *args, drawn=drawn, apply=apply, **kwargs):
            still = not name.startswith(('Shear', 'Translate', 'Rotate'))
            drawn.append(not still)
            return image if still else apply(image, name, *args, **kwargs)

        transform._apply_image_or_video_transform = geometric_only
        white, mask = joined(transform)
        np.testing.assert_array_equal(white, mask)
        moved += any(drawn)
    assert moved > 5


def test_a_policy_draws_as_without_a_mask():
    alone, together = v2.RandAugment(), JointTransform(v2.RandAugment())
    for seed in range(5):
        torch.manual_seed(seed)
        expected = np.asarray(alone(image(blob())))
        torch.manual_seed(seed)
        found, _ = together(image(blob()), blob()[None])
        np.testing.assert_array_equal(np.asarray(found), expected)


@pytest.mark.parametrize('fill', [1, 255, 7])
def test_what_is_filled_is_context_whatever_the_fill_value(fill):
    mask = blob()
    _, planes = JointTransform(v2.Pad(5, fill=fill))(image(mask), mask[None])
    assert planes[0].sum() == mask.sum()
    assert not planes[0, :5].any()


def test_transforms_of_v1_that_move_no_pixel_are_for_the_image_alone():
    transform = v1.Compose(
        [v1.ToTensor(), v1.Normalize([0.5] * 3, [0.25] * 3), v1.RandomErasing(1.0)]
    )
    found, planes = JointTransform(transform)(image(blob()), blob()[None])
    assert found.shape == (3, 24, 32) and found.is_floating_point()
    np.testing.assert_array_equal(planes[0], blob())


def test_both_kinds_work_in_one_transform():
    transform = v2.Compose(
        [
            v2.RandomHorizontalFlip(1.0),
            v1.ToTensor(),
            v2.ToPureTensor(),
            v2.RandomErasing(1.0),
            v2.CenterCrop(16),
        ]
    )
    found, planes = JointTransform(transform)(image(blob()), blob()[None])
    assert found.shape[-2:] == planes.shape[-2:] == (16, 16)


def test_an_unguided_image_is_drawn_as_a_guided_one():
    transform = JointTransform(v2.RandomResizedCrop(16))
    torch.manual_seed(0)
    guided, _ = transform(image(blob()), blob()[None])
    torch.manual_seed(0)
    unguided, planes = transform(image(blob()), None)
    assert planes is None
    np.testing.assert_array_equal(np.asarray(guided), np.asarray(unguided))


def flip(image):
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


@pytest.mark.parametrize(
    'transform,message',
    [
        (
            v1.Compose([v1.Resize(8), v1.ToTensor()]),
            r'torchvision Resize leaves masks behind: write v2.Resize \(from torch',
        ),
        (v1.RandomApply([v1.RandomRotation(9)]), r'write v2.RandomApply'),
        (v2.RandomApply([v1.RandomRotation(9)]), r'write v2.RandomRotation'),
        (v2.Compose([flip]), "the function 'flip' may move pixels.*v2.Lambda"),
        (
            v2.Lambda(flip),
            r'name the types it is for, v2.Lambda\(function, PIL.Image.Imag',
        ),
        (v2.FiveCrop(8), 'v2.FiveCrop takes no masks along: leave it out'),
        (v2.AugMix(), 'v2.AugMix takes no masks along'),
        (
            v2.RandomRotation(9, fill=(1, 2, 3)),
            r"fill=\{tv_tensors.Mask: 0, 'others': \(1",
        ),
        (v2.RandomApply([v2.RandAugment()]), 'outermost v2.Compose'),
        (torch.nn.Sequential(v2.Resize(8)), 'Sequential may move pixels'),
    ],
)
def test_what_may_leave_masks_behind_is_refused_with_what_to_write(transform, message):
    with pytest.raises(ValueError, match=message):
        JointTransform(transform)


def test_the_remedies_that_are_named_work():
    fill = {tv_tensors.Mask: 0, 'others': (1, 2, 3)}
    transform = v2.Compose(
        [
            v2.RandomRotation(9, fill=fill),
            v2.Lambda(lambda x: x, Image.Image, tv_tensors.Image),
        ]
    )
    _, planes = JointTransform(transform)(image(blob()), blob()[None])
    assert planes.shape == (1, 24, 32) and set(np.unique(planes)) == {0, 1}


@pytest.mark.parametrize(
    'function,message',
    [
        (
            lambda x: x.float() if isinstance(x, torch.Tensor) else x,
            'changed the values',
        ),
        (
            lambda x: (
                v2.functional.crop(x, 0, 0, 8, 32) if isinstance(x, torch.Tensor) else x
            ),
            r'v2.Lambda the image has height and width \(24, 32\), its mask \(8, 32\)',
        ),
    ],
)
def test_a_transform_that_bends_masks_is_named(function, message):
    transform = JointTransform(v2.Lambda(function, torch.Tensor, Image.Image))
    with pytest.raises(ValueError, match=message):
        transform(image(blob()), blob()[None])
