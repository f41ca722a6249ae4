"""Choosing the training images of a config that a person should mask next."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpretrain.apis import get_model
from mmpretrain.models.heads import MultiLabelClsHead
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from cfcn_plugin.annotation.choice import (
    Chosen,
    check_count,
    choose_by_coverage,
    choose_by_score,
)
from cfcn_plugin.annotation.context_score import ContextScore, context_score
from cfcn_plugin.features import last_stage_activation
from cfcn_plugin.mm.datasets.subset import training_dataset
from cfcn_plugin.mm.plain_pipeline import plain_test_pipeline
from cfcn_plugin.mm.trained_model import load_trained

CHECKPOINT = 'give the checkpoint of a model of this config (--checkpoint)'


def choose_from_model(
    cfg: Config,
    images: list,
    by: str,
    count: int,
    seed: int = 0,
    per_class: bool = False,
    checkpoint: str | Path | None = None,
    batch_size: int = 64,
    workers: int = 0,
    device: str = 'cpu',
    progress: Callable = lambda batches, total: batches,
) -> list[Chosen]:
    """Choose images by what a model makes of them; no mask is read.

    Images go through the test pipeline, one batch after the other.

    Args:
        cfg: The config.
        images: Its ``training_images``.
        by: ``'coverage'``: :func:`.choose_by_coverage` on the mean of the last map, of
            length 1. ``'context'``: the highest scores of :func:`.context_score`.
        count, seed, per_class: As in :func:`.choose_by_coverage`.
        checkpoint: Weights of the model. None, for ``'coverage'`` only: the weights
            that the backbone begins its training with.
        batch_size, workers, device: Of the passes.
        progress: Wraps the batches, of which there are ``total``.

    Raises:
        ValueError: ``'context'`` has no checkpoint, or ``'coverage'`` neither a
            checkpoint nor a pretrained backbone; the config has no test pipeline; or
            see ``choose_by_coverage``.
        FileNotFoundError: The checkpoint does not exist.
    """
    if by == 'context' and checkpoint is None:
        raise ValueError(f"by='context' asks the model at hand: {CHECKPOINT}")
    check_count(images, count, per_class)
    dataset = training_dataset(cfg, plain_test_pipeline(cfg))
    model = _model(cfg, checkpoint).to(device)

    def batches(data: Dataset) -> Iterator[Tensor]:
        loader = DataLoader(
            data, batch_size, num_workers=workers, collate_fn=pseudo_collate
        )
        for one in progress(loader, len(loader)):
            yield model.data_preprocessor(one, False)['inputs']

    if by == 'coverage':
        features = np.concatenate([_features(model, one) for one in batches(dataset)])
        return choose_by_coverage(images, features, count, seed, per_class)
    # the objects of all images would fill the memory
    scores = [_score(model, one)._replace(objects=None) for one in batches(dataset)]
    whole, context = (torch.cat(one).cpu().numpy() for one in list(zip(*scores))[:2])
    sure = 1 / (1 + np.exp(-np.stack([whole, context], 1)))
    reasons = [f'answer by {a:.1%}, without the object {b:.1%}' for a, b in sure]
    chosen = choose_by_score(images, context, reasons, count, seed, per_class)
    again = batches(Subset(dataset, [one.index for one in chosen]))
    objects = chain.from_iterable(
        _score(model, one).objects.byte().cpu().numpy() for one in again
    )
    return [one._replace(mask=mask) for one, mask in zip(chosen, objects)]


def _model(cfg: Config, checkpoint: str | Path | None) -> nn.Module:
    if checkpoint is not None:
        return load_trained(cfg, checkpoint)
    parts = [cfg.model, cfg.model.get('backbone') or {}]
    if not any(map(_has_weights, parts)):
        raise ValueError(
            "by='coverage' needs features that know images, and the network of this "
            f'config begins at random: choose by chance (--by random), or {CHECKPOINT}'
        )
    model = get_model(cfg)
    model.init_weights()
    return model.eval()


def _has_weights(config: dict) -> bool:
    """Whether a network begins with weights from elsewhere."""
    first = config.get('init_cfg')
    local = (config.get('local_weights') or {}).get(config.get('model_name'))
    return bool(
        config.get('pretrained')
        or config.get('checkpoint_path')
        or local
        or (isinstance(first, dict) and first.get('type') == 'Pretrained')
    )


@torch.no_grad()
def _features(model: nn.Module, inputs: Tensor) -> np.ndarray:
    """The mean of the last map of each image, of length 1, (B, F) float32."""
    means = last_stage_activation(model, inputs).float().mean((2, 3))
    return nn.functional.normalize(means).cpu().numpy()


def _score(model: nn.Module, inputs: Tensor) -> ContextScore:
    several = isinstance(getattr(model, 'head', None), MultiLabelClsHead)
    return context_score(model, inputs, lambda one: model(one, mode='tensor'), several)
