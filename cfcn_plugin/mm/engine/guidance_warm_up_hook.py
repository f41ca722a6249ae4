"""When guidance begins, and how its weight grows."""

from mmengine.hooks import Hook

from cfcn_plugin.options import check_number, check_whole
from cfcn_plugin.stock import GOES

from .unwrap_model import unwrap_model


class GuidanceWarmUpHook(Hook):
    """Increase the weight of guidance linearly from 0 to the configured weight.

    In iteration t = 0, 1 ... all guidance terms are multiplied by 0 while t < b, then
    by min(1, (t - b + 1) / N). ``dict(type='GuidanceWarmUpHook', epochs=0, begin=2)``
    guides with the whole weight from the third epoch on, after the classes are learned.
    Guidance's terms are also computed, and logged, before b.

    The factor depends only on the runner's iteration: the factor needs no checkpoint,
    is correct after a resume, and is equal in all processes. The factor is logged as
    ``guidance_weight``. The class loss is not changed.

    Args:
        iters: N, >= 1; >= 0 with ``begin``.
        epochs: N in epochs, > 0; >= 0 with ``begin``; instead of ``iters``.
        begin: b, >= 0, in the unit of N: iterations, or epochs.

    Raises:
        ValueError: Not exactly one of ``iters`` and ``epochs`` is given, an option is
            wrong, or the model is not guided.
    """

    stock = GOES

    def __init__(
        self, iters: int | None = None, epochs: float | None = None, begin: float = 0
    ):
        check_number('begin', begin, least=0)
        if (iters is None) == (epochs is None):
            raise ValueError(
                f'give either `iters` or `epochs`, got iters={iters}, epochs={epochs}'
            )
        if iters is not None:
            check_whole('iters', iters, least=0 if begin else 1)
            check_whole('begin', begin)
        elif begin:
            check_number('epochs', epochs, least=0)
        else:
            check_number('epochs', epochs, above=0)
        self.iters = iters
        self.epochs = epochs
        self.begin = begin

    def before_train(self, runner) -> None:
        model = unwrap_model(runner.model)
        if not hasattr(model, 'guide'):
            raise ValueError(
                f'{type(model).__name__} has no guidance to warm up: leave '
                'GuidanceWarmUpHook out of `custom_hooks`, or take a guided model '
                '(GuidedClassifier ...)'
            )

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        model = unwrap_model(runner.model)
        if model.guidance is None:
            return
        length, begin = self.iters, self.begin
        if length is None:
            epoch = len(runner.train_dataloader)
            length, begin = self.epochs * epoch, round(begin * epoch)
        done = max(0, runner.iter - begin + 1)
        model.guide.weight = min(1.0, done / max(length, 1))
        runner.message_hub.update_scalar('train/guidance_weight', model.guide.weight)
