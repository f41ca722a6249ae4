"""The contract: what a method sees, and what it must give."""

from dataclasses import FrozenInstanceError

import pytest
import torch
from batches import changed, guidance_batch

from cfcn_plugin.guidance import CausalFocusLoss, Guidance, MaskBatch, MixComponent


def some_seen(activation):
    return guidance_batch(
        images=torch.zeros(2, 3, 8, 8),
        maps=activation,
        logits=torch.zeros(2, 4),
        mask=torch.ones(2, 1, 8, 8, dtype=torch.uint8),
        ignore=None,
        guided=torch.tensor([True, False]),
        target=torch.tensor([0, 3]),
    )


def test_one_map_and_several_are_read_alike():
    one = torch.zeros(2, 5, 4, 4)
    assert some_seen(one).maps == (one,)
    assert some_seen((one, one)).maps == (one, one)


def test_seen_cannot_be_written_to():
    with pytest.raises(FrozenInstanceError):
        some_seen(torch.zeros(2, 5, 4, 4)).mask = None


def test_what_a_source_does_not_give_is_none():
    seen = some_seen(torch.zeros(2, 5, 4, 4))
    assert seen.masks.classes is None
    assert seen.model.classify is None


def test_each_map_has_the_masks_of_what_it_lies_on():
    maps = torch.zeros(2, 5, 2, 2), torch.zeros(2, 5, 4, 4), torch.zeros(2, 5, 3, 3)
    mask = torch.arange(8).expand(2, 1, 8, 8).float()
    ignore = torch.zeros(2, 8, 8, dtype=torch.bool)
    ignore[:, -1] = True
    seen = changed(
        some_seen(maps), mask=mask, ignore=ignore, covers=((6, 7), (8, 8), (8, 10))
    )
    cut, whole, filled = seen.each_map()
    assert cut.maps[0] is maps[0]
    assert torch.equal(cut.masks.mask, mask[..., :6, :7])
    assert not cut.masks.ignore.any() and cut.masks.ignore.shape == (2, 6, 7)
    assert whole.masks.mask is mask
    assert filled.masks.mask[0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 7, 7]
    assert filled.masks.ignore[:, -1].all() and filled.masks.ignore.shape == (2, 8, 10)


def test_without_covers_maps_lie_on_the_whole_image():
    (seen,) = some_seen(torch.zeros(2, 5, 4, 4)).each_map()
    assert seen.masks.mask.shape == (2, 1, 8, 8)


def test_parts_of_mixed_images_are_cut_too():
    seen = some_seen(torch.zeros(2, 5, 4, 4))
    component = MixComponent(
        seen.masks.mask.float(), torch.eye(4)[:2], None, torch.ones(2)
    )
    (one,) = changed(seen, components=(component,), covers=((6, 6),)).each_map()
    assert one.masks.components[0].mask.shape == (2, 1, 6, 6)


def test_an_image_is_guided_wholly_or_by_the_weight_of_its_parts():
    seen = some_seen(torch.zeros(2, 5, 4, 4))
    assert seen.masks.weight.tolist() == [1, 0]
    components = [
        MixComponent(
            seen.masks.mask.float(),
            torch.eye(4)[[i, 3]],
            None,
            torch.tensor([0.25, i / 2]),
        )
        for i in range(2)
    ]
    mixed = changed(seen, components=tuple(components))
    assert mixed.masks.weight.tolist() == [0.5, 0.5]
    one = mixed.of_component(components[0])
    assert one.masks.guided.tolist() == [True, False]
    assert one.masks.mask is components[0].mask and one.target is components[0].target
    assert one.masks.components == ()


def test_a_pixel_is_causal_context_or_ignored_by_its_fractions():
    seen = changed(
        some_seen(torch.zeros(2, 5, 4, 4)),
        mask=torch.tensor([[[[1, 0]], [[0, 0]]], [[[0, 1]], [[1, 1]]]]).byte(),
    )
    assert seen.masks.causal.tolist() == [[[1, 0]], [[1, 1]]]  # of either class
    assert seen.masks.context.tolist() == [[[0, 1]], [[0, 0]]]
    assert seen.masks.known.tolist() == [[[1, 1]], [[1, 1]]]
    ignored = changed(seen, ignore=torch.tensor([[[0.25, 0.5]], [[1.0, 0.0]]]))
    assert ignored.masks.causal.tolist() == [[[0.75, 0]], [[0, 1]]]
    assert ignored.masks.context.tolist() == [[[0, 0.5]], [[0, 0]]]
    assert ignored.masks.known.tolist() == [[[0.75, 0.5]], [[0, 1]]]


def test_methods_are_guidance_and_need_no_input_gradient_unless_they_say_so():
    assert issubclass(CausalFocusLoss, Guidance)
    assert Guidance.needs_input_grad is False
    assert CausalFocusLoss.needs_input_grad is False
    assert CausalFocusLoss().differentiates is False
    assert CausalFocusLoss(channel_weights='gradient').differentiates


def test_a_method_of_ones_own_is_a_module_with_one_function():

    class Brightness(Guidance):
        def forward(self, seen):
            return dict(loss_bright=seen.maps[0].mean())

    losses = Brightness()(some_seen(torch.ones(2, 5, 4, 4)))
    assert losses['loss_bright'] == 1


def test_one_of_several_maps_has_its_own_masks_once():
    maps = torch.zeros(2, 5, 2, 2), torch.zeros(2, 5, 3, 3)
    seen = changed(some_seen(maps), covers=((6, 6), (8, 8)))
    (one,) = seen.each_map()[1].each_map()
    assert one.masks.mask.shape[-2:] == (8, 8)


def test_objects_are_what_is_not_known_to_be_context():
    ignore = torch.tensor([[[False, True], [False, False]]])
    mask = torch.tensor([[[[1, 0], [0, 0]], [[0, 0], [1, 0]]]], dtype=torch.uint8)
    masks = MaskBatch(mask, ignore, torch.tensor([True]))
    assert masks.objects.tolist() == [[[True, True], [True, False]]]
