"""Validation and test that let metrics ask the model more than its prediction."""
import torch
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import TestLoop, ValLoop
from mmengine.runner.amp import autocast

from cfcn_plugin.mm.evaluation.model_aware_metric import ModelAwareMetric, Shown
from cfcn_plugin.stock import Stock


class ModelAwareMixin:
    """What both loops do with a batch: predict, ask, then evaluate as ever."""
    stock = Stock(extra_keys=('type', ))  # the stock loop is the one without a type
    split: str

    @torch.no_grad()
    def run_iter(self, idx, data_batch) -> None:
        self.runner.call_hook(
            f'before_{self.split}_iter', batch_idx=idx, data_batch=data_batch)
        with autocast(enabled=self.fp16):
            samples = self._predict_and_probe(data_batch)
        self.evaluator.process(data_samples=samples, data_batch=data_batch)
        self.runner.call_hook(
            f'after_{self.split}_iter',
            batch_idx=idx,
            data_batch=data_batch,
            outputs=samples)

    def _predict_and_probe(self, data_batch: dict) -> list:
        model = self.runner.model
        if is_model_wrapper(model):
            model = model.module
        if isinstance(model, BaseTTAModel):
            raise ValueError(f'{type(self).__name__} asks about one image at a time, '
                             'and test-time augmentation shows several: leave it out')
        data = model.data_preprocessor(data_batch, False)
        samples = model(**data, mode='predict')
        shown = Shown(data_batch['inputs'], data['inputs'], data.get('masks'), samples,
                      self.dataloader.dataset)
        for metric in self.evaluator.metrics:
            if isinstance(metric, ModelAwareMetric):
                for sample, values in zip(samples, metric.probe(model, shown)):
                    sample.set_field(values or {}, metric.field)
        return samples


class ModelAwareValLoop(ModelAwareMixin, ValLoop):
    """``ValLoop`` for evaluators with a :class:`ModelAwareMetric`."""
    split = 'val'


class ModelAwareTestLoop(ModelAwareMixin, TestLoop):
    """``TestLoop`` for evaluators with a :class:`ModelAwareMetric`."""
    split = 'test'
