"""The cells of an object go into another image's map; everything else stays."""

import copy

import pytest
import timm
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from cfcn_plugin.functional.compositing import swap_cells
from cfcn_plugin.guidance import FeatureSwap, MaskBatch


def batch(guided=(True, True), size=8):
    """The object is the left half of each image."""
    mask = torch.zeros(len(guided), 1, size, size, dtype=torch.uint8)
    mask[..., : size // 2] = 1
    return MaskBatch(mask, None, torch.tensor(guided))


def test_a_cell_is_the_images_own_in_the_fraction_that_its_object_covers():
    maps = torch.tensor([[[[1.0, 2, 3, 4]]], [[[10.0, 20, 30, 40]]]])
    objects = torch.zeros(2, 1, 8, dtype=torch.bool)
    objects[0, 0, :3] = True  # cell 0, half of cell 1
    objects[1, 0, 6:] = True  # cell 3, whose place has the mean of 10, 20, 30
    order = torch.tensor([0.1, 0.2])
    got = swap_cells(maps, objects, torch.tensor([True, True]), order)
    # image 0's hole is cells 0 and 1: the mean of 3 and 4
    expected = [[1, (2 + 20) / 2, 30, 20], [3.5, 3.5, 3, 40]]
    assert got[:, 0, 0].tolist() == expected


def test_a_hole_is_a_box_if_asked_and_an_object_all_over_leaves_its_mean():
    maps = torch.arange(8.0).view(2, 1, 2, 2)
    objects = torch.zeros(2, 2, 2, dtype=torch.bool)
    objects[0, 0, 0] = objects[0, 1, 1] = True  # whose box is the image
    objects[1, 0, 1] = True
    both, order = torch.tensor([True, True]), torch.tensor([0.1, 0.2])
    by_mask, by_box = (
        swap_cells(maps, objects, both, order, hole)[1, 0] for hole in ('mask', 'box')
    )
    assert by_mask.tolist() == [[1.5, 5], [2, 1.5]]
    assert by_box.tolist() == [[1.5, 5], [1.5, 1.5]]


def test_images_without_another_guided_image_stay():
    maps, masks = torch.rand(3, 2, 4, 4), batch((True, False, False))
    order = torch.rand(3)
    assert torch.equal(swap_cells(maps, masks.objects, masks.guided, order), maps)
    objects = masks.objects.clone()
    objects[1], objects[2] = False, True  # no object, and no context
    every = torch.tensor([True, True, True])
    assert torch.equal(swap_cells(maps, objects, every, order), maps)


class Last(nn.Module):
    """A map (B, 4, 4, 40)."""

    def forward(self, images):
        return images[:, :1, ::2, ::2].expand(-1, 40, -1, -1).permute(0, 2, 3, 1)


@pytest.mark.parametrize('stage', [Last(), nn.AvgPool2d(2)])
def test_the_object_stays_and_its_context_is_the_other_images(stage):
    images, masks = torch.rand(2, 3, 8, 8), batch()
    model = nn.Sequential(stage)
    before = model(images)
    swap = FeatureSwap('0').attach(model)
    with swap(masks):
        after = model(images)
    if isinstance(stage, Last):
        before, after = before.permute(0, 3, 1, 2), after.permute(0, 3, 1, 2)
    assert torch.equal(after[..., :2], before[..., :2])
    assert torch.equal(after[..., 2:], before.flip(0)[..., 2:])


@pytest.mark.parametrize(
    'name,target',
    [
        ('resnet18', 'layer2'),
        ('vit_tiny_patch16_224', 'blocks.1'),
        ('swin_tiny_patch4_window7_224', 'layers.0'),
    ],
)
def test_timm_models_are_swapped_in_any_layout(name, target):
    model = timm.create_model(name, num_classes=2).eval()
    images, masks = torch.rand(2, 3, 224, 224), batch(size=224)
    with torch.no_grad():
        plain = model(images)
        with FeatureSwap(target).attach(model)(masks):
            swapped = model(images)
        assert not torch.allclose(plain, swapped)
        assert torch.equal(model(images), plain)  # outside of the block


def test_the_same_image_twice_changes_nothing_of_a_vit():
    model = timm.create_model('vit_tiny_patch16_224', num_classes=2).eval()
    images = torch.rand(1, 3, 224, 224).expand(2, -1, -1, -1)
    masks = batch(size=224)
    with torch.no_grad(), FeatureSwap('blocks.1').attach(model)(masks):
        first, second = model(images)
    torch.testing.assert_close(first, second)


def test_a_checkpointed_stage_is_computed_again_by_the_same_draw():
    stage = nn.Conv2d(3, 4, 2, 2)
    model = nn.Sequential(stage)
    images = torch.rand(6, 3, 8, 8)
    gradients = []
    for again in (False, True):
        torch.manual_seed(0)
        swap = FeatureSwap('0').attach(model)
        with swap(batch((True,) * 6)):
            maps = (
                checkpoint(model, images, use_reentrant=False)
                if again
                else model(images)
            )
            maps.square().sum().backward()
        gradients.append(stage.weight.grad.clone())
        stage.weight.grad = None
        swap.handle.remove()
    torch.testing.assert_close(*gradients)


def test_a_stage_that_is_computed_again_after_the_block_is_refused():
    model = nn.Sequential(nn.Conv2d(3, 4, 2, 2))
    swap = FeatureSwap('0').attach(model)
    with swap(batch()):
        maps = checkpoint(model, torch.rand(2, 3, 8, 8), use_reentrant=False)
    with pytest.raises(RuntimeError, match="'0' is computed again in the backward"):
        maps.sum().backward()


def test_a_copy_of_the_model_is_swapped_by_its_own_block():
    model = nn.Sequential(nn.AvgPool2d(2))
    model.swap = FeatureSwap('0').attach(model)
    other = copy.deepcopy(model)
    images = torch.rand(2, 3, 8, 8)
    with other.swap(batch()):
        assert torch.equal(model(images), nn.AvgPool2d(2)(images))
        assert not torch.equal(other(images), model(images))


@pytest.mark.parametrize('target', ['auto', ['layer1'], None])
def test_one_early_map_is_named(target):
    with pytest.raises(TypeError, match='dotted name of a module with an early map'):
        FeatureSwap(target)


def test_a_name_that_the_model_does_not_have_is_told_with_those_that_it_has():
    with pytest.raises(ValueError, match="'layer9' does not exist"):
        FeatureSwap('layer9').attach(timm.create_model('resnet18'))


def test_masks_of_other_images_and_a_model_that_did_not_run_are_told():
    model = nn.Sequential(nn.AvgPool2d(2))
    swap = FeatureSwap('0').attach(model)
    with (
        pytest.raises(ValueError, match='masks of 2 images, and maps of 3'),
        swap(batch()),
    ):
        model(torch.rand(3, 3, 8, 8))
    with (
        pytest.raises(RuntimeError, match="'0' did not run in this block"),
        swap(batch()),
    ):
        pass
