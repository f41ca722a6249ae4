"""The masks of a batch move with one copy, as the tensors that they are."""

from dataclasses import replace

import pytest
import torch

from cfcn_plugin.data import mixup, stack_masks
from cfcn_plugin.guidance import MaskBatch
from cfcn_plugin.guidance.one_memory import allocate, move


def stacked():
    one = torch.zeros(2, 4, 6, dtype=torch.uint8)
    one[0, 1] = one[1, 2:] = 1
    sample = dict(guided=True, activation_mask=one, mask_classes=torch.tensor([1, 0]))
    return stack_masks([sample, dict(guided=False)], (4, 6))


def equal(ours, theirs):
    for name in ('mask', 'ignore', 'guided', 'classes', 'cropped_out'):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert one is other is None or torch.equal(one, other), name
        assert one is None or one.dtype == other.dtype


class Counted:
    """Copies, and counts the copies."""

    def __init__(self):
        self.bytes = []

    def __call__(self, tensor):
        self.bytes.append(tensor.nbytes)
        return tensor.clone()


def test_tensors_that_fill_one_memory_are_copied_at_once():
    given = allocate(((2, 3), torch.int64), ((5,), torch.uint8), ((2,), torch.bool))
    given[0].copy_(torch.arange(6).view(2, 3))
    given[1].fill_(7)
    given[2][1] = True
    count = Counted()
    moved = move([given[0], None, given[1], given[2]], count)
    assert count.bytes == [48 + 5 + 2] and moved[1] is None
    for one, other in zip(given, [moved[0], *moved[2:]]):
        assert torch.equal(one, other) and one.dtype == other.dtype
        assert one.data_ptr() != other.data_ptr()


@pytest.mark.parametrize(
    'change',
    [
        lambda a, b: (a[:1], b),  # a part of the memory
        lambda a, b: (a.T, b),
        lambda a, b: (a.clone(), b),
        lambda a, b: (a.to('meta'), b.to('meta')),
    ],
)
def test_other_tensors_are_copied_one_by_one(change):
    given = change(*allocate(((2, 3), torch.int64), ((5,), torch.uint8)))
    count = Counted()
    moved = move(given, count)
    assert len(count.bytes) == 2
    assert [one.shape for one in moved] == [one.shape for one in given]


def test_masks_move_to_a_device_with_all_that_they_have():
    masks = stacked()
    equal(masks.to('cpu'), masks)
    on_meta = masks.to('meta', non_blocking=True)
    assert {
        one.device.type
        for one in (on_meta.mask, on_meta.ignore, on_meta.guided, on_meta.classes)
    } == {'meta'}
    assert on_meta.cropped_out.device.type == 'cpu'


def test_masks_of_ones_own_and_of_mixed_images_move_too():
    own = MaskBatch(torch.ones(2, 1, 4, 6, dtype=torch.uint8), None, torch.ones(2) > 0)
    assert own.to('meta').mask.is_meta and own.to('meta').ignore is None
    _, _, mixed = mixup(
        torch.rand(2, 3, 4, 6), torch.tensor([0, 1]), own, 1.0, num_classes=3
    )
    moved = mixed.to('meta')
    assert all(one.mask.is_meta and one.weight.is_meta for one in moved.components)
    equal(mixed.to('cpu'), mixed)


def test_masks_are_pinned_as_one_memory(monkeypatch):
    count, masks = Counted(), stacked()
    monkeypatch.setattr(torch.Tensor, 'pin_memory', lambda self: count(self))
    equal(masks.pin_memory(), masks)
    assert len(count.bytes) == 1
    equal(replace(masks, ignore=None).pin_memory(), replace(masks, ignore=None))
