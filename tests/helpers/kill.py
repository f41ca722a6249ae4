"""A runner hook that ends a training as a kill does."""

from mmengine.hooks import Hook


class Killed(BaseException):
    """Stands for a kill: nothing tidies up after it."""


class Kill(Hook):
    """After an iteration, when all others are done with it."""

    priority = 'LOWEST'

    def __init__(self, at):
        self.at = at

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.at:
            raise Killed
