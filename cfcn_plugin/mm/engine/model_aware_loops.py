"""Validation and test loops that pass the model to metrics."""

import torch
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import TestLoop, ValLoop
from mmengine.runner.amp import autocast
from torch.distributed.fsdp import FullyShardedDataParallel

from cfcn_plugin.mm.evaluation.model_aware_metric import EvalBatch, ModelAwareMetric
from cfcn_plugin.stock import GOES, Stock


class ModelAwareMixin:
    """Predicts a batch, passes the batch to model-aware metrics, and evaluates."""

    stock = Stock(extra_keys=('type',))  # a config without a type gives the stock loop
    split: str

    @torch.no_grad()
    def run_iter(self, idx, data_batch) -> None:
        self.runner.call_hook(
            f'before_{self.split}_iter', batch_idx=idx, data_batch=data_batch
        )
        with autocast(enabled=self.fp16):
            samples = self._predict(data_batch)
        self.evaluator.process(data_samples=samples, data_batch=data_batch)
        self.runner.call_hook(
            f'after_{self.split}_iter',
            batch_idx=idx,
            data_batch=data_batch,
            outputs=samples,
        )

    def _predict(self, data_batch: dict) -> list:
        forward = model = self.runner.model
        if is_model_wrapper(model):
            model = model.module
            if not isinstance(forward, FullyShardedDataParallel):
                forward = model  # as in mmengine's val_step: sharding needs the wrapper
        metrics = [m for m in self.evaluator.metrics if isinstance(m, ModelAwareMetric)]
        if not metrics:
            return self.runner.model.test_step(data_batch)
        if isinstance(model, BaseTTAModel):
            raise ValueError(
                f'{type(metrics[0]).__name__} takes one image at a time, and test-time '
                'augmentation gives several: leave the metric or augmentation out'
            )
        data = model.data_preprocessor(data_batch, False)
        masks, guidance = data.get('masks'), None
        if masks is None:
            samples = forward(**data, mode='predict')
        else:
            samples, guidance = model.predict_with_maps(**data, forward=forward)
        batch = EvalBatch(
            data_batch['inputs'],
            data['inputs'],
            masks,
            samples,
            self.dataloader.dataset,
            guidance,
        )
        for metric in metrics:
            metric.observe(model, batch)
        return samples


class ModelAwareValLoop(ModelAwareMixin, ValLoop):
    """``ValLoop`` for evaluators with a :class:`ModelAwareMetric`."""

    split = 'val'


class ModelAwareTestLoop(ModelAwareMixin, TestLoop):
    """``TestLoop`` for evaluators with a :class:`ModelAwareMetric`."""

    split = 'test'


class ModelAwareLoopHook(Hook):
    """Replaces mmengine's loops by model-aware loops if a metric requires the model.

    With this hook, ``val_cfg = dict()`` of a stock config supports a
    :class:`ModelAwareMetric` such as ``FocusMetric``. Other loop types are not changed.
    """

    stock = GOES

    def before_run(self, runner) -> None:
        for split, stock, loop_type in (
            ('val', ValLoop, ModelAwareValLoop),
            ('test', TestLoop, ModelAwareTestLoop),
        ):
            loop = getattr(runner, f'_{split}_loop')  # the property would build it
            if type(loop) is stock and any(
                isinstance(m, ModelAwareMetric) for m in loop.evaluator.metrics
            ):
                setattr(
                    runner,
                    f'_{split}_loop',
                    loop_type(runner, loop.dataloader, loop.evaluator, loop.fp16),
                )
