"""Stopping when the focus term is no longer a number."""
import math

from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class FiniteFocusHook(Hook):
    """Stop training when ``loss_focus`` is NaN or infinite.

    On a GPU the value is read every ``interval`` iterations (reading waits for the
    device), on a CPU in each.

    Args:
        interval: Iterations between two looks on a GPU.

    Raises:
        FloatingPointError: The guided map has NaN or infinite values.
    """

    def __init__(self, interval: int = 50):
        if interval < 1:
            raise ValueError(f'`interval` must be at least 1, got {interval}')
        self.interval = interval

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None) -> None:
        focus = (outputs or {}).get('loss_focus')
        if focus is None:
            return
        if focus.device.type != 'cpu' and not self.every_n_train_iters(
                runner, self.interval):
            return
        if math.isfinite(focus.item()):
            return
        files = [s.get('img_path') for s in data_batch['data_samples'][:4]]
        raise FloatingPointError(
            f'loss_focus is {focus.item()} in iteration {runner.iter + 1}: the guided '
            f'map has NaN or infinite values (class loss: '
            f'{outputs["loss"].item():.4g}; '
            f'the batch begins with {files}). The weights have diverged: lower the '
            'learning rate or `loss_weight`, clip gradients, or leave `--amp` out')
