"""A warning for guided maps that become zero."""

from collections import Counter

from mmengine.hooks import Hook

from cfcn_plugin.options import check_number, check_whole
from cfcn_plugin.stock import GOES


class DeadMapHook(Hook):
    """Warn when many guided maps become zero ("dead").

    Too large an alpha reduces activations and accuracy (CFCN, Fig. 7). A dead map has
    the full loss and no gradient, so it cannot recover. The hook observes
    ``active_maps``, which methods log: the fraction of maps that are not dead. The hook
    averages ``active_maps`` over ``interval`` iterations, and reads only this mean from
    the device.

    The hook warns once, and again after a recovery. Its state is not resumed.

    Args:
        interval: Iterations, >= 1.
        fraction: The hook warns when the mean is below this fraction, in [0, 1], of the
            best mean so far, or when all maps are dead.
    """

    stock = GOES

    def __init__(self, interval: int = 50, fraction: float = 0.5):
        check_whole('interval', interval, least=1)
        check_number('fraction', fraction, least=0, most=1)
        self.interval = interval
        self.fraction = fraction
        self._sums, self._best, self._warned = Counter(), Counter(), set()

    def after_train_iter(
        self, runner, batch_idx, data_batch=None, outputs=None
    ) -> None:
        for key, value in (outputs or {}).items():
            if key.startswith('active_maps'):
                self._sums[key] += value
        if not self.every_n_train_iters(runner, self.interval):
            return
        for key, total in self._sums.items():
            self._judge(runner, key, float(total) / self.interval)
        self._sums.clear()

    def _judge(self, runner, key: str, active_maps: float) -> None:
        best = self._best[key] = max(active_maps, self._best[key])
        collapsed = active_maps == 0 or active_maps < self.fraction * best
        if collapsed and key not in self._warned:
            runner.logger.warning(
                f'guided maps die: `{key}` is {active_maps:.3f} over the last '
                f'{self.interval} iterations, up to {runner.iter + 1}, and was '
                f'{best:.3f} at its best. Lower the weight of guidance, let it grow '
                "with dict(type='GuidanceWarmUpHook', iters=...), or clip gradients; "
                'if the value was 0 from the start, no gradient of the class score '
                'reaches the map: set another `target`'
            )
        (self._warned.add if collapsed else self._warned.discard)(key)
