"""mmengine's runner with resuming for interrupted runs."""
import contextlib
import copy
import errno
import multiprocessing
import traceback
from collections.abc import Iterator
from pathlib import Path

from mmengine.config import ConfigDict
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.registry import HOOKS, LOOPS
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from torch.utils.data import dataloader

from cfcn_plugin.mm.engine.model_aware_loops import ModelAwareLoopHook
from cfcn_plugin.stock import Stock

from .atomic_checkpoint_hook import AtomicCheckpointHook
from .check_invalid_loss_hook import CheckInvalidLossHook
from .exact_resume_hook import ExactResumeHook
from .newest_checkpoint import find_damage, newest_checkpoint
from .preemption_hook import PreemptionHook
from .resumable_loops import ResumableEpochLoop, ResumableIterLoop, ResumableMixin

LOOPS_FOR = {EpochBasedTrainLoop: ResumableEpochLoop,
             IterBasedTrainLoop: ResumableIterLoop}
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_RIGHT = (errno.EROFS, errno.EACCES)


class ResumableRunner(Runner):
    """``Runner`` that can resume after a kill, for any config.

    - Checkpoints are written atomically (:class:`AtomicCheckpointHook`); resuming uses
      the newest undamaged checkpoint.
    - A run can resume inside an epoch. With ``exact_resume = True`` in the config, the
      result equals that of an uninterrupted run bit for bit (:class:`ExactResumeHook`).
    - On SIGTERM or SIGUSR1 the run saves a checkpoint and exits with code 75
      (:class:`PreemptionHook`).
    - A loss that is NaN or infinite ends the run (:class:`CheckInvalidLossHook`).

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
        with _write_errors(cfg['work_dir']):
            return super().from_cfg(cfg)

    # ---- hooks and loops ----------------------------------------------------

    def register_hook(self, hook: Hook | dict, priority=None) -> None:
        if isinstance(hook, dict) and _kind(HOOKS, hook['type']) is CheckpointHook:
            hook = {**hook, 'type': AtomicCheckpointHook}
        super().register_hook(hook, priority)

    def register_hooks(self, default_hooks=None, custom_hooks=None) -> None:
        super().register_hooks(default_hooks, custom_hooks)
        ours = [CheckInvalidLossHook, ModelAwareLoopHook, PreemptionHook]
        if self.cfg.get('exact_resume'):
            ours.append(ExactResumeHook)
        for kind in ours:
            if not any(isinstance(hook, kind) for hook in self.hooks):
                self.register_hook(kind())

    def build_train_loop(self, loop):
        if isinstance(loop, dict):
            loop = dict(loop)
            by_epoch = loop.pop('by_epoch', None)
            kind = _kind(LOOPS, loop['type']) if by_epoch is None else (
                EpochBasedTrainLoop if by_epoch else IterBasedTrainLoop)
            loop['type'] = LOOPS_FOR.get(kind, kind)
        return super().build_train_loop(loop)

    # ---- saving and resuming ------------------------------------------------

    def save_checkpoint(self, out_dir, filename, file_client_args=None, *args,
                        backend_args=None, meta=None, **kwargs) -> None:
        if file_client_args is None and backend_args is None and (
                '://' not in str(out_dir)):
            backend_args = dict(backend='atomic')
        meta = dict(meta or {})
        if isinstance(self.train_loop, ResumableMixin):
            # without a seed in the config each start draws a new seed, but the rest of
            # an epoch needs the same order
            meta['sampler_seed'] = getattr(
                self.train_loop.batches.sampler, 'seed', None)
        done = getattr(self.train_loop, 'done', 0)
        if done:
            meta['inside_epoch'] = [done, len(self.train_dataloader)]
        self.call_hook('on_every_rank_before_save')
        super().save_checkpoint(
            out_dir, filename, file_client_args, *args, backend_args=backend_args,
            meta=meta, **kwargs)

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
                '`--resume` without a path uses the newest complete checkpoint')
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

    def load_checkpoint(self, *args, **kwargs) -> dict:
        checkpoint = super().load_checkpoint(*args, **kwargs)
        if self._resume:
            meta = checkpoint.get('meta', {})
            if meta.get('sampler_seed') is not None and isinstance(
                    self.train_loop, ResumableMixin):
                self.train_loop.batches.sampler.seed = meta['sampler_seed']
            self._go_inside(*meta.get('inside_epoch', (0, 0)))
        return checkpoint

    def _go_inside(self, done: int, batches: int) -> None:
        if done and batches != len(self.train_dataloader):
            self.logger.warning(
                f'the epoch was interrupted after {done} of {batches} batches and has '
                f'{len(self.train_dataloader)} now: the epoch is restarted')
        elif done and isinstance(self.train_loop, ResumableEpochLoop):
            self.train_loop.done = done
        if not self.cfg.get('exact_resume'):
            self.logger.warning(
                'weights, optimizer and schedules are resumed, but random draws are '
                'not: the result differs from that of an uninterrupted run. '
                '`--exact-resume`, from the start, makes both equal bit for bit')

    def train(self):
        stop, = [hook for hook in self.hooks if isinstance(hook, PreemptionHook)]
        with _worker_errors(), _write_errors(self.work_dir), stop.catch_signals():
            return super().train()


@contextlib.contextmanager
def _write_errors(work_dir: str) -> Iterator[None]:
    """Add cause and remedy to errors of writing into the work dir."""
    try:
        yield
    except OSError as error:
        in_work_dir = str(error.filename).startswith(str(Path(work_dir).absolute()))
        if error.errno not in NO_ROOM and not (
                error.errno in NO_RIGHT and in_work_dir):
            raise
        raise OSError(
            error.errno, f"{error.strerror}: the run cannot write into '{work_dir}'. "
            'Existing checkpoints are complete: free disk space, or make the folder '
            'writable, and use `--resume`; or give another folder with `--work-dir`',
            error.filename) from error


@contextlib.contextmanager
def _worker_errors() -> Iterator[None]:
    """Add cause and remedy to the error of a dead data worker."""
    try:
        yield
    except Exception as error:
        try:
            dead = _of_dead_worker(error)
        except RuntimeError as late:  # torch may raise its error during shutdown
            dead = _of_dead_worker(late)
        if dead is None:
            raise
        raise RuntimeError(
            f'a data worker died: {str(dead).rstrip(". ")}. The usual cause of a kill '
            'is too little memory: reduce train_dataloader.num_workers (0: no worker) '
            'or the image size. The cause of a bus error is too little shared memory '
            '(/dev/shm). Continue with `--resume`') from error


def _of_dead_worker(error: BaseException | None) -> BaseException | None:
    """Find the error of a dead data worker among an error and its causes.

    torch raises this error at any point of the main process. Code that catches the
    error may have raised another error from it.
    """
    while error is not None:
        if isinstance(error, RuntimeError) and 'DataLoader worker (pid' in str(error):
            return error
        if isinstance(error, ConnectionError | EOFError):
            # the worker died while it transferred a batch
            files = [frame.f_code.co_filename
                     for frame, _ in traceback.walk_tb(error.__traceback__)]
            if dataloader.__file__ in files and (
                    Path(files[-1]).parent == Path(multiprocessing.__file__).parent):
                return error
        error = error.__cause__ or error.__context__
    return None


def _kind(registry, kind: str | type) -> type | None:
    return registry.get(kind) if isinstance(kind, str) else kind
