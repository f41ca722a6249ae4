"""Stopping when a loss is NaN or infinite."""

import json
import math
from pathlib import Path

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook

from cfcn_plugin.atomic_write import atomic_write
from cfcn_plugin.options import check_whole
from cfcn_plugin.stock import GOES

DIVERGED = (
    'lower the learning rate or the weight of guidance (`loss_weight`), clip '
    'gradients, or leave `--amp` out. Earlier checkpoints are unchanged'
)


class CheckInvalidLossHook(Hook):
    """Stop training when a loss is NaN or infinite, and report the batch.

    The hook checks the stock losses and guidance's terms: all keys with "loss". On a
    CPU, and where ``BatchedLogHook`` has read the losses, it checks in each iteration.
    On a GPU without that hook, the first bad iteration is noted on the device and read
    every ``interval`` iterations, since reading waits for the device. Gradients are not
    checked: where the loss is scaled (``--amp``), infinite gradients are no error.

    Weights can become infinite in a step with a finite loss. So the hook also checks
    the weights before :class:`ResumableRunner` writes a checkpoint: ``--resume`` always
    loads finite weights.

    The batch's images and the losses' values are in ``nonfinite_loss_rank{N}.json``
    in the work dir.

    Args:
        interval: Iterations between two checks on a GPU.

    Raises:
        FloatingPointError: A loss, or a weight that is to be saved, is NaN or infinite.
    """

    stock = GOES

    def __init__(self, interval: int = 50):
        check_whole('interval', interval, least=1)
        self.interval = interval
        self._unchecked = []  # (iteration, losses, files) since the last check
        self._finite = None  # on the device: whether all of these losses are finite

    def after_train_iter(
        self, runner, batch_idx, data_batch=None, outputs=None
    ) -> None:
        losses = {
            key: value.detach()
            for key, value in (outputs or {}).items()
            if 'loss' in key and isinstance(value, torch.Tensor)
        }
        if not losses:
            return
        self._unchecked.append((runner.iter + 1, losses, _images(data_batch)))
        now = torch.stack([value.float() for value in losses.values()]).isfinite().all()
        self._finite = now if self._finite is None else self._finite & now
        if now.device.type == 'cpu' or self.every_n_train_iters(runner, self.interval):
            self.check(runner)

    def after_train(self, runner) -> None:
        self.check(runner)

    def on_every_rank_before_save(self, runner) -> None:
        """Raise an error before weights that are NaN or infinite are saved."""
        self.check(runner)
        weights = list(runner.model.named_parameters())
        finite = torch.stack([w.detach().isfinite().all() for _, w in weights])
        if not finite.all():
            names = [name for (name, _), good in zip(weights, finite) if not good]
            raise FloatingPointError(
                f'after {runner.iter + 1} iterations {len(names)} of {len(weights)} '
                f'weights are NaN or infinite, first {names[:4]}, although all losses '
                f'were finite; no checkpoint is written: {DIVERGED}'
            )

    def check(self, runner) -> None:
        """Stop the run if a loss since the last check is NaN or infinite."""
        if self._finite is not None and not self._finite.item():
            for iteration, losses, files in self._unchecked:
                losses = {key: value.item() for key, value in losses.items()}
                if not all(map(math.isfinite, losses.values())):
                    self._stop(runner, iteration, losses, files)
        self._unchecked, self._finite = [], None

    @staticmethod
    def _stop(runner, iteration: int, losses: dict, files: list) -> None:
        report = Path(runner.work_dir, f'nonfinite_loss_rank{get_rank()}.json')
        atomic_write(
            report,
            json.dumps(
                dict(
                    iteration=iteration,
                    losses={k: repr(v) for k, v in losses.items()},
                    files=files,
                ),
                indent=1,
            ),
        )
        bad = ', '.join(
            f'{key} is {value}'
            for key, value in losses.items()
            if not math.isfinite(value)
        )
        others = ', '.join(
            f'{key} {value:.4g}'
            for key, value in losses.items()
            if math.isfinite(value)
        )
        raise FloatingPointError(
            f'{bad} in iteration {iteration} ({others or "as are all losses"}; the '
            f"batch begins with {files[:4]}, the full list is in '{report}'): check "
            'the images and masks of the batch. If they are correct, the weights have '
            f'diverged: {DIVERGED}'
        )


def _images(batch) -> list:
    """Each image's path, else its index in the data set, else None."""
    samples = batch.get('data_samples') if isinstance(batch, dict) else None
    return [one.get('img_path') or one.get('sample_idx') for one in samples or ()]
