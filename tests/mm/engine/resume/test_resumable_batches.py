"""The order of batches, and the seeds of their samples."""

from unittest import mock

import pytest
from mmengine.dataset import DefaultSampler, InfiniteSampler

from cfcn_plugin.mm.engine.resume.resumable_batches import ResumableBatches
from cfcn_plugin.mm.engine.resume.seeded_dataset import Draw

DATA = range(7)


def batches(rank=0, processes=1, seed=None, **options):
    where = (rank, processes)
    with mock.patch('mmengine.dataset.sampler.get_dist_info', return_value=where):
        sampler = DefaultSampler(DATA, seed=3)
    return ResumableBatches(sampler, 2, seed=seed, **options)


def test_batches_are_the_stock_ones():
    ours = batches()
    indices = list(ours.sampler)
    assert list(ours) == [indices[:2], indices[2:4], indices[4:6], indices[6:]]
    assert len(ours) == 4
    assert len(batches(drop_last=True)) == 3


@pytest.mark.parametrize('seed', [None, 5])
def test_skipped_ones_are_left_out_once(seed):
    ours = batches(seed=seed)
    ours.start(1)
    whole = list(ours)
    ours.start(1, skip=3)
    assert list(ours) == whole[3:]
    assert list(ours) == whole
    ours.start(1, skip=4)
    assert list(ours) == []


def test_seeds_tell_epochs_and_repetitions_apart():
    ours = batches(seed=5)
    draws = []
    for epoch in (0, 1):
        ours.start(epoch)
        draws += [draw for batch in ours for draw in batch]
    assert all(isinstance(draw, Draw) for draw in draws)
    assert len({draw.seeds for draw in draws}) == 14
    assert draws[0].seeds == (5, 0, draws[0].index, 0)


def test_seeds_do_not_depend_on_the_number_of_processes():
    one = {draw for batch in batches(seed=5) for draw in batch}
    two = set()
    for rank in (0, 1):
        where = 'cfcn_plugin.mm.engine.resume.resumable_batches.get_dist_info'
        with mock.patch(where, return_value=(rank, 2)):
            two |= {d for batch in batches(rank, 2, seed=5) for d in batch}
    assert one < two  # the eighth fills up the last batch


def test_other_batch_samplers_are_kept():
    class Pairs:
        def __init__(self, sampler, batch_size):
            self.sampler, self.batch_size = sampler, batch_size

        def __iter__(self):
            yield from ([i, i] for i in self.sampler)

        def __len__(self):
            return 7

    ours = batches(batch_sampler=dict(type=Pairs))
    assert len(ours) == 7
    ours.start(0, skip=6)
    assert [len(batch) for batch in ours] == [2]


def test_endless_samplers_are_skipped_in_too():
    ours, theirs = (ResumableBatches(InfiniteSampler(DATA, seed=3), 2) for _ in 'ab')
    ours.start(0, skip=10)
    whole = iter(theirs)
    for _ in range(10):
        next(whole)
    assert next(iter(ours)) == next(whole)
