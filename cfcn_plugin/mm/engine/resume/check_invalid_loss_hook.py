"""Stopping when a loss is no longer a number."""
import json
import math
from pathlib import Path

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook

from cfcn_plugin.atomic_write import atomic_write
from cfcn_plugin.stock import GOES

DIVERGED = ('lower the learning rate or the weight of guidance (`loss_weight`), clip '
            'gradients, or leave `--amp` out. Earlier checkpoints are as they were')


class CheckInvalidLossHook(Hook):
    """Stop training when a loss is NaN or infinite, and write down which batch it was.

    Watched are the stock losses and guidance's terms, all keys with "loss". On a CPU,
    and where ``BatchedLogHook`` has read them, they are looked at in each iteration. On a
    GPU without it the first bad iteration is noted on the device, and read every
    ``interval`` iterations, since reading waits for the device. Where the loss is
    scaled (``--amp``), infinite gradients are no error, and not looked at; an infinite
    loss is.

    Weights can burst in a step whose loss was a number, so before a checkpoint is
    written (by :class:`ResumableRunner`) they are looked at, too: what ``--resume``
    takes is finite.

    The batch's images and the losses' values are in ``nonfinite_loss_rank{N}.json``
    in the work dir.

    Args:
        interval: Iterations between two looks on a GPU.

    Raises:
        FloatingPointError: A loss, or a weight that is to be saved, is NaN or infinite.
    """
    stock = GOES

    def __init__(self, interval: int = 50):
        if interval < 1:
            raise ValueError(f'`interval` must be at least 1, got {interval}')
        self.interval = interval
        self._seen = []  # (iteration, losses, files) since the last look
        self._finite = None  # on the device: whether all were, since the last look

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None) -> None:
        losses = {key: value.detach() for key, value in (outputs or {}).items()
                  if 'loss' in key and isinstance(value, torch.Tensor)}
        if not losses:
            return
        self._seen.append((runner.iter + 1, losses, _images(data_batch)))
        now = torch.stack([value.float() for value in losses.values()]).isfinite().all()
        self._finite = now if self._finite is None else self._finite & now
        if now.device.type == 'cpu' or self.every_n_train_iters(runner, self.interval):
            self._look(runner)

    def after_train(self, runner) -> None:
        self._look(runner)

    def on_every_rank_before_save(self, runner) -> None:
        """No checkpoint is written of weights that are no numbers."""
        self._look(runner)
        weights = list(runner.model.named_parameters())
        finite = torch.stack([w.detach().isfinite().all() for _, w in weights])
        if not finite.all():
            names = [name for (name, _), good in zip(weights, finite) if not good]
            raise FloatingPointError(
                f'after {runner.iter + 1} iterations {len(names)} of {len(weights)} '
                f'weights are NaN or infinite, first {names[:4]}, and no checkpoint is '
                f'written of them, though all losses were numbers: {DIVERGED}')

    def _look(self, runner) -> None:
        if self._finite is not None and not self._finite.item():
            for iteration, losses, files in self._seen:
                losses = {key: value.item() for key, value in losses.items()}
                if not all(map(math.isfinite, losses.values())):
                    self._stop(runner, iteration, losses, files)
        self._seen, self._finite = [], None

    @staticmethod
    def _stop(runner, iteration: int, losses: dict, files: list) -> None:
        report = Path(runner.work_dir, f'nonfinite_loss_rank{get_rank()}.json')
        atomic_write(report, json.dumps(dict(
            iteration=iteration, losses={k: repr(v) for k, v in losses.items()},
            files=files), indent=1))
        bad = ', '.join(f'{key} is {value}' for key, value in losses.items()
                        if not math.isfinite(value))
        others = ', '.join(f'{key} {value:.4g}' for key, value in losses.items()
                           if math.isfinite(value))
        raise FloatingPointError(
            f'{bad} in iteration {iteration} ({others or "as are all losses"}; the '
            f"batch begins with {files[:4]}, all of it is in '{report}'): look at its "
            'images and masks. If they are as they should be, the weights have '
            f'diverged: {DIVERGED}')


def _images(batch) -> list:
    """What names each of a batch's images, where something does."""
    samples = batch.get('data_samples') if isinstance(batch, dict) else None
    return [one.get('img_path') or one.get('sample_idx') for one in samples or ()]
