"""Building a config's model with the weights of a checkpoint."""

import copy
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmpretrain.apis import get_model
from torch import nn


def load_trained(cfg: Config, checkpoint: str | Path) -> nn.Module:
    """Build the model on the CPU, in evaluation mode; all weights must fit.

    ``_dataset_meta`` of the model has the names of the classes, as in mmpretrain. Call
    ``enable_safe_loading()`` before loading an untrusted checkpoint.

    Raises:
        FileNotFoundError: The checkpoint does not exist.
        RuntimeError: The weights do not fit the model.
    """
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    cfg = copy.deepcopy(cfg)
    backbone = cfg.model.get('backbone') or {}
    if 'model_name' in backbone:  # do not download: the checkpoint has the weights
        backbone.update(pretrained=False, checkpoint_path='')
        backbone.pop('local_weights', None)
    model = get_model(cfg)
    loaded = load_checkpoint(
        model, str(checkpoint), map_location='cpu', strict=True, logger='current'
    )
    model._dataset_meta = loaded.get('meta', {}).get(
        'dataset_meta', model._dataset_meta
    )
    return model
