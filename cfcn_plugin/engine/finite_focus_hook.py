"""Stopping when a term of guidance is no longer a number."""
import math

from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class FiniteFocusHook(Hook):
    """Stop training when ``loss_focus``, or another ``loss_...``, is NaN or infinite.

    On a GPU the values are read every ``interval`` iterations (reading waits for the
    device), on a CPU, or where ``OneReadHook`` has read them, in each.

    Args:
        interval: Iterations between two looks on a GPU.

    Raises:
        FloatingPointError: The guided map, or what guidance makes of it, has NaN or
            infinite values.
    """

    def __init__(self, interval: int = 50):
        if interval < 1:
            raise ValueError(f'`interval` must be at least 1, got {interval}')
        self.interval = interval

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None) -> None:
        for key, term in (outputs or {}).items():
            if key.startswith('loss_'):
                self._check(runner, key, term, data_batch, outputs)

    def _check(self, runner, key, term, data_batch, outputs) -> None:
        if term.device.type != 'cpu' and not self.every_n_train_iters(
                runner, self.interval):
            return
        if math.isfinite(term.item()):
            return
        files = [s.get('img_path') for s in data_batch['data_samples'][:4]]
        raise FloatingPointError(
            f'{key} is {term.item()} in iteration {runner.iter + 1}: the guided map, '
            'or what guidance makes of it, has NaN or infinite values (class loss: '
            f'{outputs["loss"].item():.4g}; '
            f'the batch begins with {files}). The weights have diverged: lower the '
            'learning rate or the weight of guidance (`loss_weight`), clip gradients, '
            'or leave `--amp` out')
