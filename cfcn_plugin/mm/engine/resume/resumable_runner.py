"""mmengine's runner with resuming for interrupted runs."""

import copy
from pathlib import Path

from mmengine.config import ConfigDict
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.registry import HOOKS, LOOPS
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from cfcn_plugin.mm.engine.model_aware_loops import ModelAwareLoopHook
from cfcn_plugin.mm.engine.reduce_log_hook import ReduceLogHook
from cfcn_plugin.mm.safe_loading import CheckpointError
from cfcn_plugin.stock import Stock

from .atomic_checkpoint_hook import AtomicCheckpointHook
from .check_invalid_loss_hook import CheckInvalidLossHook
from .exact_resume_hook import ExactResumeHook
from .newest_checkpoint import find_damage, newest_checkpoint
from .preemption_hook import PreemptionHook
from .resumable_loops import ResumableEpochLoop, ResumableIterLoop, ResumableMixin
from .resumed_content import (
    OPTIMIZERS,
    check_complete,
    check_optimizers,
    check_schedulers,
    check_settings,
    check_sizes,
    optimizer_names,
)
from .run_errors import worker_errors, write_errors
from .saved_content import check_loadable, drop_functions

LOOPS_FOR = {
    EpochBasedTrainLoop: ResumableEpochLoop,
    IterBasedTrainLoop: ResumableIterLoop,
}


class ResumableRunner(Runner):
    """``Runner`` that can resume after a kill, for any config.

    - Checkpoints are written atomically (:class:`AtomicCheckpointHook`); resuming uses
      the newest undamaged checkpoint.
    - A run can resume inside an epoch. With ``exact_resume = True`` in the config, the
      result equals that of an uninterrupted run bit for bit (:class:`ExactResumeHook`).
    - On SIGTERM or SIGUSR1 the run saves a checkpoint and exits with code 75
      (:class:`PreemptionHook`).
    - A loss that is NaN or infinite ends the run (:class:`CheckInvalidLossHook`).
    - The log has means over one window and all processes (:class:`ReduceLogHook`).

    ``tools/train.py`` uses this runner. For mmpretrain's own ``tools/train.py``, set
    ``runner_type = 'ResumableRunner'`` in the config.
    """

    # a runner's config is the whole config
    stock = Stock(extra_keys=('exact_resume', 'runner_type'))

    @classmethod
    def from_cfg(cls, cfg):
        randomness = cfg.get('randomness') or {}
        if cfg.get('exact_resume') and randomness.get('seed') is None:
            cfg = copy.deepcopy(cfg)  # exact resume needs a seed
            cfg['randomness'] = ConfigDict(randomness, seed=0)
        with write_errors(cfg['work_dir']):
            return super().from_cfg(cfg)

    # ---- hooks and loops ----------------------------------------------------

    def register_hook(self, hook: Hook | dict, priority=None) -> None:
        if isinstance(hook, dict) and _kind(HOOKS, hook['type']) is CheckpointHook:
            hook = {**hook, 'type': AtomicCheckpointHook}
        super().register_hook(hook, priority)

    def register_hooks(self, default_hooks=None, custom_hooks=None) -> None:
        super().register_hooks(default_hooks, custom_hooks)
        ours = [CheckInvalidLossHook, ModelAwareLoopHook, PreemptionHook, ReduceLogHook]
        if self.cfg.get('exact_resume'):
            ours.append(ExactResumeHook)
        for kind in ours:
            if not any(isinstance(hook, kind) for hook in self.hooks):
                self.register_hook(kind())

    def build_train_loop(self, loop):
        if isinstance(loop, dict):
            loop = dict(loop)
            by_epoch = loop.pop('by_epoch', None)
            kind = (
                _kind(LOOPS, loop['type'])
                if by_epoch is None
                else (EpochBasedTrainLoop if by_epoch else IterBasedTrainLoop)
            )
            loop['type'] = LOOPS_FOR.get(kind, kind)
        return super().build_train_loop(loop)

    # ---- saving and resuming ------------------------------------------------

    def save_checkpoint(
        self,
        out_dir,
        filename,
        file_client_args=None,
        *args,
        backend_args=None,
        meta=None,
        **kwargs,
    ) -> None:
        if (
            file_client_args is None
            and backend_args is None
            and '://' not in str(out_dir)
        ):
            backend_args = dict(backend='atomic')
        meta = dict(meta or {})
        if isinstance(self.train_loop, ResumableMixin):
            # without a seed in the config each start draws a new seed, but the rest of
            # an epoch needs the same order
            meta['sampler_seed'] = getattr(
                self.train_loop.batches.sampler, 'seed', None
            )
        done = getattr(self.train_loop, 'done', 0)
        if done:
            meta['inside_epoch'] = [done, len(self.train_dataloader)]
        meta[OPTIMIZERS] = optimizer_names(self.optim_wrapper)
        self.call_hook('on_every_rank_before_save')
        super().save_checkpoint(
            out_dir,
            filename,
            file_client_args,
            *args,
            backend_args=backend_args,
            meta=meta,
            **kwargs,
        )

    def load_or_resume(self) -> None:
        if self._resume and not self._has_loaded:
            self._load_from = self._checkpoint_to_resume()
            if self._load_from is None:
                self.logger.info(f"'{self.work_dir}' has no checkpoint: the run begins")
                self._resume = False
        super().load_or_resume()

    def _checkpoint_to_resume(self) -> str | None:
        """The user's path, or the work dir's newest checkpoint."""
        if self._load_from is None:
            return self._newest_checkpoint()
        given = Path(self._load_from)
        damage = find_damage(given) if given.is_file() else None
        if damage:
            raise ValueError(
                f"checkpoint '{given}' is damaged ({damage}): resume from another; "
                '`--resume` without a path uses the newest complete checkpoint'
            )
        return self._load_from

    def _newest_checkpoint(self) -> str | None:
        found = [None]
        if is_main_process():  # one process reads the files
            try:
                found = [newest_checkpoint(self.work_dir)]
            except ValueError as error:
                found = [error]
        broadcast_object_list(found)
        if isinstance(found[0], ValueError):
            raise found[0]
        return None if found[0] is None else str(found[0])

    def call_hook(self, fn_name: str, **kwargs) -> None:
        if fn_name == 'after_load_checkpoint':
            self._prepare_loaded(kwargs['checkpoint'])
        super().call_hook(fn_name, **kwargs)
        if fn_name == 'before_save_checkpoint':
            drop_functions(kwargs['checkpoint'], self.param_schedulers)
            check_loadable(kwargs['checkpoint'])

    def _prepare_loaded(self, checkpoint: dict) -> None:
        """Check what hooks and mmengine expect of a checkpoint without looking."""
        if self._resume:
            check_complete(checkpoint, self._load_from)
            check_sizes(checkpoint, self.model, self._load_from)
            check_optimizers(checkpoint, self.optim_wrapper, self._load_from)
            check_schedulers(checkpoint, self.param_schedulers, self._load_from)
            return
        if not isinstance(checkpoint, dict):
            raise CheckpointError(
                f"checkpoint '{self._load_from}' has a "
                f'{type(checkpoint).__name__}, expected weights'
            )
        # EMAHook expects the key, and names as mmengine changes them later
        weights = dict(checkpoint.get('state_dict', checkpoint))
        if 'state_dict' not in checkpoint:
            checkpoint.clear()
        checkpoint['state_dict'] = {
            name.removeprefix('module.'): one for name, one in weights.items()
        }

    def resume(self, filename: str, *args, **kwargs) -> None:
        super().resume(filename, *args, **kwargs)
        check_settings(self.optim_wrapper, filename)

    def load_checkpoint(self, *args, **kwargs) -> dict:
        checkpoint = super().load_checkpoint(*args, **kwargs)
        if self._resume:
            meta = checkpoint.get('meta', {})
            if meta.get('sampler_seed') is not None and isinstance(
                self.train_loop, ResumableMixin
            ):
                self.train_loop.batches.sampler.seed = meta['sampler_seed']
            self._go_inside(*meta.get('inside_epoch', (0, 0)))
        return checkpoint

    def _go_inside(self, done: int, batches: int) -> None:
        if done and batches != len(self.train_dataloader):
            self.logger.warning(
                f'the epoch was interrupted after {done} of {batches} batches and has '
                f'{len(self.train_dataloader)} now: the epoch is restarted'
            )
        elif done and isinstance(self.train_loop, ResumableEpochLoop):
            self.train_loop.done = done
        if not self.cfg.get('exact_resume'):
            self.logger.warning(
                'weights, optimizer and schedules are resumed, but random draws are '
                'not: the result differs from that of an uninterrupted run. '
                '`--exact-resume`, from the start, makes both equal bit for bit'
            )

    def train(self):
        (stop,) = [hook for hook in self.hooks if isinstance(hook, PreemptionHook)]
        with worker_errors(), write_errors(self.work_dir), stop.catch_signals():
            return super().train()


def _kind(registry, kind: str | type) -> type | None:
    return registry.get(kind) if isinstance(kind, str) else kind
