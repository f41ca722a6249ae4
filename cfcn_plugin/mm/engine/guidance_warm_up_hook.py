"""Guidance that grows in the first iterations."""
from mmengine.hooks import Hook

from cfcn_plugin.stock import GOES

from .unwrapped import unwrapped


class GuidanceWarmUpHook(Hook):
    """Let the weight of guidance grow linearly from 0 to what is configured.

    In iteration t = 0, 1 ... of N all of the guidance's terms are multiplied by
    min(1, (t + 1) / N). The factor comes from the runner's iteration alone: it is in no
    checkpoint, right after a resume, and the same in every process. It is logged as
    ``guidance_weight``. The baseline is left alone.

    Args:
        iters: N, >= 1.
        epochs: N in epochs, > 0; instead of ``iters``.

    Raises:
        ValueError: Not exactly one of both is given; the model is no guided one.
    """
    stock = GOES

    def __init__(self, iters: int | None = None, epochs: float | None = None):
        if (iters is None) == (epochs is None):
            raise ValueError('give either `iters` or `epochs`, got '
                             f'iters={iters}, epochs={epochs}')
        if iters is not None and iters < 1:
            raise ValueError(f'`iters` must be at least 1, got {iters}')
        if epochs is not None and not epochs > 0:
            raise ValueError(f'`epochs` must be > 0, got {epochs}')
        self.iters = iters
        self.epochs = epochs

    def before_train(self, runner) -> None:
        model = unwrapped(runner.model)
        if not hasattr(model, 'guide'):
            raise ValueError(
                f'{type(model).__name__} has no guidance to warm up: leave '
                'GuidanceWarmUpHook out of `custom_hooks`, or take a guided model '
                '(GuidedClassifier ...)')

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        model = unwrapped(runner.model)
        if model.guidance is None:
            return
        length = self.iters or self.epochs * len(runner.train_dataloader)
        model.guide.weight = min(1., (runner.iter + 1) / length)
        runner.message_hub.update_scalar('train/guidance_weight', model.guide.weight)
