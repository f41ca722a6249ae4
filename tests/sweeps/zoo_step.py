"""The pieces of one training step on generated images, as a config says."""

import copy
from pathlib import Path

import numpy as np
import torch
from mm_zoo import (
    build,
    compose,
    meta_model,
    step_names,
    train_pipelines,
    without_pretrained,
)
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from PIL import Image
from torch import nn

IMAGE = 260, 300  # rows, columns of a generated image
BATCH, LARGE = 4, 150e6  # half a batch for models of more parameters


def forward(cfg: Config, root: str) -> tuple[nn.Module, dict, dict]:
    """The model in training mode, a preprocessed batch and its losses."""
    cfg = copy.deepcopy(cfg)
    if cfg.get('data_preprocessor'):  # as the runner does
        cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)
    model = build(without_pretrained(cfg.model))
    model.train()
    packed = model.data_preprocessor(
        default_collate(samples(cfg, Path(root))), training=True
    )
    return model, packed, model(**packed, mode='loss')


def not_loaded(model: nn.Module, weights: dict) -> list[str]:
    """Keys that do not load strictly, but for those a model's own state dict omits."""
    found = model.load_state_dict(weights, strict=False)
    own = model.load_state_dict(model.state_dict(), strict=False)  # swinv2 omits some
    return sorted(
        {*found.missing_keys, *found.unexpected_keys}
        - {*own.missing_keys, *own.unexpected_keys}
    )


def gradients(model: nn.Module, loss: torch.Tensor) -> tuple[int, int]:
    """How many trained parameters the backbone has, and how many a loss reaches."""
    trained = [
        p for p in model.get_submodule(model.trained).parameters() if p.requires_grad
    ]
    if not trained:
        return 0, 0
    found = torch.autograd.grad(loss, trained, retain_graph=True, allow_unused=True)
    return len(trained), sum(
        one is not None and bool(one.abs().sum() > 0) for one in found
    )


def samples(cfg: Config, root: Path) -> list[dict]:
    """A batch through the config's training pipeline."""
    pipeline = train_pipelines(cfg)[0]
    transforms = compose(pipeline)
    head = cfg.model.head
    in_memory = 'LoadImageFromFile' not in step_names(pipeline)
    grey = 'MNIST' in str(cfg.train_dataloader.dataset.type)
    shape = (28, 28) if grey else (32, 32, 3) if in_memory else (*IMAGE, 3)
    several = 'MultiLabel' in head.type or 'CSRA' in head.type
    rng = np.random.default_rng(0)
    large = sum(p.numel() for p in meta_model(cfg.model).parameters()) > LARGE
    batch = []
    (root / 'masks').mkdir(exist_ok=True)
    for index in range(BATCH // 2 if large else BATCH):
        image = rng.integers(0, 256, shape, dtype=np.uint8)
        mask = np.zeros(shape[:2], np.uint8)
        mask[shape[0] // 4 : -shape[0] // 4, shape[1] // 4 : -shape[1] // 4] = 255
        Image.fromarray(mask).save(root / 'masks' / f'{index}.png')
        label = index % 2
        info = dict(sample_idx=index, gt_label=[label, 2] if several else label)
        if in_memory:
            info['img'] = image
        else:
            Image.fromarray(image).save(root / f'{index}.jpg')
            info['img_path'] = str(root / f'{index}.jpg')
        batch.append(transforms(info))
    return batch


def optimiser(cfg: Config, model: nn.Module):
    """The config's own; without mixed precision, which wants a GPU."""
    wrapper = dict(cfg.get('optim_wrapper') or {})
    if wrapper.get('type') not in (None, 'OptimWrapper'):
        wrapper = {
            key: wrapper[key]
            for key in ('optimizer', 'paramwise_cfg', 'constructor')
            if key in wrapper
        }
    wrapper.setdefault('optimizer', dict(type='SGD', lr=0.01))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return build_optim_wrapper(model, wrapper)


@torch.no_grad()
def maps_of(model: nn.Module, packed: dict) -> tuple:
    with model.feature_hook:
        model(packed['inputs'], mode='tensor')
        taken = model.feature_hook.take(packed['inputs'])
    return taken if isinstance(taken, tuple) else (taken,)
