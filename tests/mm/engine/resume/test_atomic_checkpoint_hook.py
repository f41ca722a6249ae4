"""There are never fewer checkpoints than configured."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.logging import MessageHub

from cfcn_plugin.mm.engine import AtomicCheckpointHook


class Run(SimpleNamespace):
    """What the hook asks of a runner; notes what is there when it saves."""

    def __init__(self, folder):
        super().__init__(
            work_dir=str(folder),
            epoch=0,
            iter=0,
            there=[],
            message_hub=MessageHub(f'hub_{folder.name}'),
            logger=SimpleNamespace(info=print, warning=print),
        )

    def save_checkpoint(self, out_dir, filename, *args, **kwargs):
        self.there.append(sorted(f.name for f in Path(out_dir).glob('*.pth')))
        Path(out_dir, filename).write_text('saved')


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def hook_of(run, **options):
    hook = AtomicCheckpointHook(**{'interval': 1, **options})
    hook.before_train(run)
    return hook


def epochs(run, hook, count):
    for _ in range(count):
        hook.after_train_epoch(run)
        run.epoch += 1


def left(run):
    return sorted(f.name for f in Path(run.work_dir).glob('*.pth'))


def test_old_one_is_there_until_the_new_is(run):
    epochs(run, hook_of(run, max_keep_ckpts=1), 3)
    assert run.there == [[], ['epoch_1.pth'], ['epoch_2.pth']]
    assert left(run) == ['epoch_3.pth']
    assert Path(run.work_dir, 'last_checkpoint').read_text() == (
        f'{run.work_dir}/epoch_3.pth'
    )


def test_best_one_is_there_until_a_better_is(run):
    hook = hook_of(run, save_best='top1', rule='greater')
    for epoch, score in enumerate((50.0, 40.0, 60.0), 1):
        run.epoch = epoch
        hook.after_val_epoch(run, dict(top1=score))
    assert run.there == [[], ['best_top1_epoch_1.pth']]
    assert left(run) == ['best_top1_epoch_3.pth']
    assert hook.best_ckpt_path == f'{run.work_dir}/best_top1_epoch_3.pth'


def test_several_bests_are_kept_apart(run):
    hook = hook_of(run, save_best=['a', 'b'], rule='greater')
    for epoch, (a, b) in enumerate(((1, 1), (2, 0), (2, 5)), 1):
        run.epoch = epoch
        hook.after_val_epoch(run, dict(a=a, b=b))
    assert left(run) == ['best_a_epoch_2.pth', 'best_b_epoch_3.pth']


def test_one_between_two_epochs_is_kept_until_the_next(run):
    hook = hook_of(run, max_keep_ckpts=2)
    run.iter = 6
    assert hook.save_now(run) == f'{run.work_dir}/iter_7.pth'
    assert left(run) == ['iter_7.pth']
    epochs(run, hook, 1)
    assert run.there[-1] == ['iter_7.pth']
    assert left(run) == ['epoch_1.pth']


def test_of_several_between_two_epochs_the_last_is_kept(run):
    hook = hook_of(run, max_keep_ckpts=2)
    for run.iter in (6, 20, 41):
        hook.save_now(run)
    assert run.there == [[], ['iter_7.pth'], ['iter_21.pth']]
    assert left(run) == ['iter_42.pth']


def test_run_that_goes_on_elsewhere_leaves_what_it_goes_on_from(run, tmp_path):
    hook = hook_of(run, max_keep_ckpts=1, save_best='top1', rule='greater')
    hook.after_val_epoch(run, dict(top1=50.0))
    hook.save_now(run)
    there = left(run)
    run.work_dir = str(tmp_path / 'another')  # the hub is in the checkpoint
    Path(run.work_dir).mkdir()
    hook = hook_of(run, max_keep_ckpts=1, save_best='top1', rule='greater')
    hook.best_ckpt_path = run.message_hub.get_info('best_ckpt')
    hook.after_val_epoch(run, dict(top1=60.0))
    epochs(run, hook, 2)
    assert sorted(f.name for f in tmp_path.glob('*.pth')) == there
    assert left(run) == ['best_top1_epoch_0.pth', 'epoch_2.pth']


def test_one_that_was_just_saved_is_not_saved_again(run):
    hook = hook_of(run, by_epoch=False)
    hook.after_train_iter(run, 0)
    hook.save_now(run)
    assert len(run.there) == 1


def test_parts_that_a_killed_run_left_are_cleared_away(run):
    Path(run.work_dir, '.epoch_1.pth.partial').write_text('half')
    hook_of(run)
    assert list(Path(run.work_dir).iterdir()) == []
