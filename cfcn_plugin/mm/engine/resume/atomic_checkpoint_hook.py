"""Removing old checkpoints only after newer checkpoints are written."""

from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook

from cfcn_plugin.atomic_write import atomic_write, partial_of
from cfcn_plugin.stock import Stock


class AtomicCheckpointHook(CheckpointHook):
    """``CheckpointHook`` that removes old checkpoints after the new one is written.

    The stock hook removes old checkpoints first (with ``max_keep_ckpts=1``, all), and a
    kill during writing leaves a partial file. :class:`ResumableRunner` replaces the
    stock hook by this hook; the options are the same.
    """

    stock = Stock('CheckpointHook')

    _saved_iter = None  # iterations before the last checkpoint

    def before_train(self, runner) -> None:
        super().before_train(runner)
        self.file_backend = _LateRemoval(self.file_backend)
        if is_main_process():
            for left in Path(self.out_dir).glob(partial_of(Path('*.pth')).name):
                left.unlink()  # a temporary file of a run that was killed while writing

    def saved_after(self, iterations: int) -> str | None:
        """Path of the checkpoint saved after ``iterations``, if it is the last one."""
        return self.last_ckpt if self._saved_iter == iterations else None

    def save_now(self, runner) -> str:
        """Save after an iteration that is no multiple of the interval.

        The checkpoint is kept until the next checkpoint is written.

        Returns:
            Path of the checkpoint.
        """
        name = f'iter_{runner.iter + 1}.pth'
        if self.last_ckpt == self.file_backend.join_path(self.out_dir, name):
            return self.last_ckpt
        if self.by_epoch:
            meta = dict(epoch=runner.epoch, iter=runner.iter + 1)
            self._save(runner, name, meta, until_next=True)
        else:
            self._save_checkpoint(runner)
        return self.last_ckpt

    def _save_checkpoint_with_step(self, runner, step, meta) -> None:
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                oldest = self.filename_tmpl.format(self.keep_ckpt_ids.popleft())
                self.file_backend.remove(
                    self.file_backend.join_path(self.out_dir, oldest)
                )
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        self._save(runner, self.filename_tmpl.format(step), meta)

    def _save(self, runner, name: str, meta: dict, until_next: bool = False) -> None:
        path, hub = self.file_backend.join_path(self.out_dir, name), runner.message_hub
        if 'ckpt_until_next' in hub.runtime_info:
            self.file_backend.remove(hub.pop_info('ckpt_until_next'))
        if until_next:
            hub.update_info('ckpt_until_next', path)
        self.last_ckpt, self._saved_iter = path, meta['iter']
        hub.update_info('last_ckpt', path)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch and not until_next,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            atomic_write(Path(runner.work_dir, 'last_checkpoint'), str(path))
        self._remove_outdated()

    def _save_best_checkpoint(self, runner, metrics) -> None:
        super()._save_best_checkpoint(runner, metrics)
        self._remove_outdated()

    def _remove_outdated(self) -> None:
        kept = {
            self.last_ckpt,
            getattr(self, 'best_ckpt_path', None),
            *getattr(self, 'best_ckpt_path_dict', {}).values(),
        }
        files, outdated = self.file_backend.files, self.file_backend.outdated
        for path in outdated - kept if is_main_process() else ():
            if Path(path).parent != Path(self.out_dir):
                continue  # the checkpoint of another run, from which this run resumes
            if files.isfile(path):
                files.remove(path)
            elif files.isdir(path):  # deepspeed saves folders
                files.rmtree(path)
        outdated.clear()


class _LateRemoval:
    """A file backend that records the paths to remove, and does not remove them."""

    def __init__(self, files):
        self.files = files
        self.outdated = set()

    def __getattr__(self, name: str):
        return getattr(self.files, name)

    def remove(self, path: str) -> None:
        self.outdated.add(path)

    rmtree = remove
