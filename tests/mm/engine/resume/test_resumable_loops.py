"""Runs resume inside an epoch and load no batch twice."""

import copy

import pytest
import torch
from kill import Kill, Killed
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS

from cfcn_plugin.mm.engine import ResumableRunner


@TRANSFORMS.register_module()
class NoteWhatIsRead(BaseTransform):
    read = []

    def transform(self, results):
        self.read.append(results['img_path'][-6:])
        return results


def start(cfg, kill=None):
    cfg = copy.deepcopy(cfg)
    cfg.experiment_name = f'small_{id(cfg)}'
    runner = ResumableRunner.from_cfg(cfg)
    if kill:
        runner.register_hook(Kill(kill))
    NoteWhatIsRead.read = []
    runner.train()
    return runner


def of_plain_draws(cfg):
    """Without what takes more than one try to be the same."""
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.param_scheduler = cfg.param_scheduler[:1]
    cfg.default_hooks.checkpoint.pop('save_best')
    cfg.default_hooks.checkpoint.pop('rule')
    cfg.train_dataloader.dataset.pipeline.insert(0, dict(type='NoteWhatIsRead'))
    return cfg


@pytest.mark.parametrize('sampler', ['epochs', 'DefaultSampler', 'InfiniteSampler'])
def test_no_image_is_read_twice_without_a_seed(small_config, tmp_path, sampler):
    cfg = of_plain_draws(small_config(tmp_path, exact_resume=False))
    cfg.randomness = dict(seed=None)
    cfg.default_hooks.checkpoint.by_epoch = False
    cfg.optim_wrapper.accumulative_counts = 1
    if sampler == 'epochs':
        cfg.train_cfg = dict(by_epoch=True, max_epochs=1)
    else:
        cfg.train_cfg = dict(by_epoch=False, max_iters=4)
        cfg.train_dataloader.sampler.type = sampler
    with pytest.raises(Killed):
        start(cfg, kill=3)  # after the third is read; the last checkpoint is of two
    read = NoteWhatIsRead.read[:6]
    cfg.resume = True
    start(cfg)
    rest = NoteWhatIsRead.read[:5]  # of an endless sampler's, those of the first round
    assert len(set(read)) == 6 and len(set(rest)) == 5 and not set(read) & set(rest)


@pytest.mark.parametrize(
    'sampler, exact',
    [('epochs', False), ('DefaultSampler', True), ('InfiniteSampler', True)],
)
def test_what_was_seen_is_not_read_again(small_config, tmp_path, sampler, exact):
    cfg = of_plain_draws(
        small_config(tmp_path, exact_resume=exact, randomness=dict(seed=0))
    )
    if sampler != 'epochs':
        cfg.train_cfg = dict(by_epoch=False, max_iters=12)
        cfg.train_dataloader.sampler.type = sampler
    whole = start(cfg).model.state_dict()
    read = NoteWhatIsRead.read
    cfg.work_dir += '_killed'
    with pytest.raises(Killed):
        start(cfg, kill=7)  # in the second epoch; the last checkpoint is of the sixth
    cfg.resume = True
    runner = start(cfg)
    assert runner.iter == 12
    seen = 18 if sampler == 'InfiniteSampler' else 17  # of 11 samples, by threes
    assert NoteWhatIsRead.read == read[seen:]
    if exact:
        torch.testing.assert_close(runner.model.state_dict(), whole, rtol=0, atol=0)


def test_epoch_of_another_length_begins_anew(small_config, tmp_path):
    cfg = small_config(tmp_path, exact_resume=False)
    cfg.optim_wrapper.accumulative_counts = 1
    with pytest.raises(Killed):
        start(cfg, kill=2)
    cfg.train_dataloader.batch_size = 2
    cfg.resume = True
    cfg.train_cfg.max_epochs = 1
    assert start(cfg).iter == 2 + 6
