"""Checkpoints that are removed only after newer ones are on the disk."""
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook

from cfcn_plugin.atomic_write import atomic_write, partial_of
from cfcn_plugin.stock import Stock


class AtomicCheckpointHook(CheckpointHook):
    """``CheckpointHook`` that removes old checkpoints when the new one is on the disk.

    The stock hook removes first (with ``max_keep_ckpts=1``, all checkpoints), and a
    kill while it writes leaves a part of a file. :class:`ResumableRunner` takes this
    hook in place of the stock one; the options are the same.
    """
    stock = Stock('CheckpointHook')

    _saved_iter = None  # iterations before the last checkpoint

    def before_train(self, runner) -> None:
        super().before_train(runner)
        if is_main_process():
            for left in Path(self.out_dir).glob(partial_of(Path('*.pth')).name):
                left.unlink()  # of a run that was killed while it wrote

    def saved_after(self, iterations: int) -> str | None:
        """Path of the last checkpoint, if it was saved after so many iterations."""
        return self.last_ckpt if self._saved_iter == iterations else None

    def save_now(self, runner) -> str:
        """Save after an iteration that is no multiple of the interval.

        The checkpoint is kept until the next one is there.

        Returns:
            Path of the checkpoint.
        """
        step = runner.iter + 1
        path = self.file_backend.join_path(self.out_dir, f'iter_{step}.pth')
        if self.last_ckpt == path:
            return path
        if not self.by_epoch:
            self._save_checkpoint(runner)
            return self.last_ckpt
        before = runner.message_hub.runtime_info.get('ckpt_until_next')
        runner.message_hub.update_info('ckpt_until_next', path)
        self._save(runner, path, dict(epoch=runner.epoch, iter=step), by_epoch=False)
        if before not in (None, path):
            self._remove([before])
        return path

    def _save_checkpoint_with_step(self, runner, step, meta) -> None:
        outdated = self._keep(runner, step) if self.max_keep_ckpts > 0 else []
        until_now = runner.message_hub.runtime_info.get('ckpt_until_next')
        if until_now is not None:
            runner.message_hub.pop_info('ckpt_until_next')
            outdated.append(until_now)
        path = self.file_backend.join_path(
            self.out_dir, self.filename_tmpl.format(step))
        self._save(runner, path, meta, self.by_epoch)
        self._remove([old for old in outdated if old != path])

    def _keep(self, runner, step: int) -> list[str]:
        """Keep the checkpoint of a step; return those that are not kept any more."""
        outdated = []
        if not self.keep_ckpt_ids or self.keep_ckpt_ids[-1] != step:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                oldest = self.filename_tmpl.format(self.keep_ckpt_ids.popleft())
                outdated.append(self.file_backend.join_path(self.out_dir, oldest))
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        return outdated

    def _save(self, runner, path: str, meta: dict, by_epoch: bool) -> None:
        self.last_ckpt, self._saved_iter = path, meta['iter']
        runner.message_hub.update_info('last_ckpt', path)
        runner.save_checkpoint(
            self.out_dir,
            Path(path).name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=by_epoch,
            backend_args=self.backend_args,
            **self.args)
        if is_main_process():
            atomic_write(Path(runner.work_dir, 'last_checkpoint'), str(path))

    def _save_best_checkpoint(self, runner, metrics) -> None:
        if not self.save_best:
            return
        before = self._best
        self._best = dict.fromkeys(before)  # the stock method removes what is here
        super()._save_best_checkpoint(runner, metrics)
        now = self._best
        self._best = {key: now.get(key) or before[key] for key in {**before, **now}}
        self._remove([old for key, old in before.items()
                      if old and now.get(key) not in (None, old)])

    @property
    def _best(self) -> dict[str | None, str | None]:
        """Path of the best checkpoint by each indicator."""
        if len(self.key_indicators) == 1:
            return {None: self.best_ckpt_path}
        return dict(self.best_ckpt_path_dict)

    @_best.setter
    def _best(self, paths: dict) -> None:
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = paths[None]
        else:
            self.best_ckpt_path_dict = paths

    def _remove(self, paths: list[str]) -> None:
        if not is_main_process():
            return
        for path in paths:
            if Path(path).parent != Path(self.out_dir):
                continue  # another run's, from which this run goes on
            if self.file_backend.isfile(path):
                self.file_backend.remove(path)
            elif self.file_backend.isdir(path):  # as deepspeed saves them
                self.file_backend.rmtree(path)
