"""Batches of a data loader with their masks."""

from functools import partial

import pytest
import torch
from mask_samples import left, mask_of
from torch.utils.data import default_collate

import cfcn_plugin


def image(value=0.0, size=(4, 6)):
    return torch.full((3, *size), value)


def test_samples_become_images_labels_and_masks():
    images, labels, masks = cfcn_plugin.collate(
        [(image(1.0), 5, mask_of(left())), (image(2.0), 7, mask_of())]
    )
    assert images[:, 0, 0, 0].tolist() == [1.0, 2.0] and labels.tolist() == [5, 7]
    assert masks.mask.shape == (2, 1, 4, 6) and masks.mask.dtype == torch.uint8
    assert (masks.mask[0, 0].numpy() == left()).all()
    assert masks.guided.tolist() == [True, False]
    assert masks.classes is None and masks.cropped_out == 0
    assert masks.mask_error is None
    assert not masks.ignore[0].any() and masks.ignore[1].all()


def test_samples_of_more_values_keep_them():
    _images, _labels, names, masks = cfcn_plugin.collate(
        [(image(), 0, 'a', mask_of(left())), (image(), 1, 'b', mask_of())]
    )
    assert list(names) == ['a', 'b'] and len(masks.guided) == 2


def test_dicts_become_a_dict():
    batch = cfcn_plugin.collate(
        [dict(pixel_values=image(), labels=3, masks=mask_of(left()))] * 2
    )
    assert sorted(batch) == ['labels', 'masks', 'pixel_values']
    assert batch['pixel_values'].shape == (2, 3, 4, 6)
    assert batch['masks'].guided.all()


def test_the_rest_can_have_a_collate_function_of_its_own():
    own = partial(
        cfcn_plugin.collate,
        others=lambda rest: (
            torch.stack([one[0] for one in rest]),
            [one[1] for one in rest],
        ),
    )
    _, labels, masks = own([(image(), {1, 2}, mask_of(left()))])
    assert labels == [{1, 2}] and masks.guided.tolist() == [True]


@pytest.mark.parametrize(
    'samples',
    [
        [(image(), 0)],
        [dict(image=image(), label=0)],
        [image()],
        [(image(), 0, mask_of(left())), (image(), 0, None)],
    ],
)
def test_samples_without_masks_are_refused_with_what_to_give(samples):
    with pytest.raises(TypeError, match='give the DataLoader a cfcn_plugin.Masked'):
        cfcn_plugin.collate(samples)


def test_images_that_are_no_tensors_are_refused_with_what_to_write():
    from PIL import Image

    picture = Image.new('RGB', (6, 4))
    with pytest.raises(TypeError, match=r'v2.ToImage\(\)'):
        cfcn_plugin.collate(
            [(picture, 0, mask_of(left()))],
            others=lambda rest: [[one[0] for one in rest]],
        )
    with pytest.raises(TypeError, match='PIL'):  # torch's own message
        cfcn_plugin.collate([(picture, 0, mask_of(left()))])


def test_the_default_collate_function_gives_masks_that_guidance_refuses():
    from cfcn_plugin.guidance import CausalFocusLoss

    batch = default_collate([(image(), 0, mask_of(left())), (image(), 1, mask_of())])
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 2, 1), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )
    guide = cfcn_plugin.Guide(net, CausalFocusLoss(), cfcn_plugin.FeatureHook('0'))
    images, labels, masks = batch
    with guide:
        logits = net(images)
    with pytest.raises(TypeError, match='got dict: give the DataLoader collate_fn'):
        guide.loss(images, logits, labels, masks)
