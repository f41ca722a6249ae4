"""Linear warm-up of the weight of guidance."""
from mmengine.hooks import Hook

from cfcn_plugin.options import check_number, check_whole
from cfcn_plugin.stock import GOES

from .unwrap_model import unwrap_model


class GuidanceWarmUpHook(Hook):
    """Increase the weight of guidance linearly from 0 to the configured weight.

    In iteration t = 0, 1 ... all guidance terms are multiplied by min(1, (t + 1) / N).
    The factor depends only on the runner's iteration: the factor needs no checkpoint,
    is correct after a resume, and is equal in all processes. The factor is logged as
    ``guidance_weight``. The class loss is not changed.

    Args:
        iters: N, >= 1.
        epochs: N in epochs, > 0; instead of ``iters``.

    Raises:
        ValueError: Not exactly one of the two is given, or the model is not guided.
    """
    stock = GOES

    def __init__(self, iters: int | None = None, epochs: float | None = None):
        if (iters is None) == (epochs is None):
            raise ValueError('give either `iters` or `epochs`, got '
                             f'iters={iters}, epochs={epochs}')
        if iters is not None:
            check_whole('iters', iters, least=1)
        if epochs is not None:
            check_number('epochs', epochs, above=0)
        self.iters = iters
        self.epochs = epochs

    def before_train(self, runner) -> None:
        model = unwrap_model(runner.model)
        if not hasattr(model, 'guide'):
            raise ValueError(
                f'{type(model).__name__} has no guidance to warm up: leave '
                'GuidanceWarmUpHook out of `custom_hooks`, or take a guided model '
                '(GuidedClassifier ...)')

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        model = unwrap_model(runner.model)
        if model.guidance is None:
            return
        length = self.iters or self.epochs * len(runner.train_dataloader)
        model.guide.weight = min(1., (runner.iter + 1) / length)
        runner.message_hub.update_scalar('train/guidance_weight', model.guide.weight)
