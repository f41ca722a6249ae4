"""Planes move as torchvision moves its masks, to the pixel."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2

from cfcn_plugin.data import JointTransform
from cfcn_plugin.data.moved_planes import GEOMETRIC_OPS, PolicyMove, nearest

RNG = np.random.default_rng(0)


def planes_of(count, height, width):
    return (RNG.random((count, height, width)) < 0.5).astype(np.uint8)


def by_torchvision(transform, image, planes):
    image, masks = transform(image, tv_tensors.Mask(torch.from_numpy(planes)))
    return image, np.asarray(masks.as_subclass(torch.Tensor))


@pytest.mark.parametrize('count', [1, 3])
@pytest.mark.parametrize(
    'steps',
    [
        [v2.RandomResizedCrop(24)],
        [v2.RandomResizedCrop((17, 40), scale=(0.01, 1))],
        [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()],
        [
            v2.RandomResizedCrop(31),
            v2.RandomHorizontalFlip(),
            v2.ToImage(),
            v2.RandomRotation(30),
            v2.ColorJitter(0.2),
            v2.ToDtype(torch.float32, True),
        ],
        [v2.Resize((20, 33)), v2.RandomCrop(24, padding=6), v2.CenterCrop(40)],
        [
            v2.RandomApply([v2.Pad(3), v2.RandomAffine(20)]),
            v2.ToImage(),
            v2.Grayscale(),
        ],
    ],
    ids=lambda steps: type(steps[0]).__name__,
)
def test_image_and_planes_are_those_of_torchvision_for_the_same_seed(steps, count):
    for seed in range(12):
        planes = planes_of(count, *RNG.integers(8, 60, 2))
        image = Image.fromarray(
            RNG.integers(0, 255, (*planes.shape[1:], 3), dtype=np.uint8)
        )
        torch.manual_seed(seed)
        right, right_planes = by_torchvision(v2.Compose(steps), image, planes)
        torch.manual_seed(seed)
        moved, found = JointTransform(v2.Compose(steps))(image, planes)
        np.testing.assert_array_equal(np.asarray(moved), np.asarray(right))
        np.testing.assert_array_equal(found, right_planes, strict=True)


@pytest.mark.parametrize('name', GEOMETRIC_OPS)
@pytest.mark.parametrize('size', [(60, 60), (41, 70), (30, 9)])
def test_an_operation_moves_planes_as_torchvision_moves_masks(name, size):
    policy, planes = v2.RandAugment(), planes_of(2, *size)
    most = dict(Rotate=40, TranslateX=1.2 * size[1], TranslateY=1.2 * size[0]).get(
        name, 0.9
    )
    for magnitude in (0, 0.1, *RNG.uniform(-most, most, 10)):
        right = policy._apply_image_or_video_transform(
            tv_tensors.Mask(torch.from_numpy(planes)),
            name,
            float(magnitude),
            interpolation=InterpolationMode.NEAREST,
            fill={'others': 0},
        )
        np.testing.assert_array_equal(
            PolicyMove(policy)._move(planes, name, float(magnitude)), right
        )


@pytest.mark.parametrize('new', [1, 7, 96, 224, 225])
def test_a_pixel_is_the_nearest_of_torch(new):
    for size in range(1, 600):
        right = interpolate(torch.arange(size)[None, None].float(), new)[0, 0]
        np.testing.assert_array_equal(nearest(size, new), right)
