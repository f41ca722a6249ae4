"""The size of the map that a config guides."""

import copy

import torch
from mmengine.config import Config

from cfcn_plugin.features.explanations import temporary_evaluation
from cfcn_plugin.guidance import CausalFocusLoss, ExplanationLoss, GAINLoss
from cfcn_plugin.mm.annotation_files import build_dataset
from cfcn_plugin.mm.config.check_model import build_model

ON_MAPS = (CausalFocusLoss, ExplanationLoss, GAINLoss)  # compare a map with the mask


def guided_grid(cfg: Config, split: str = 'train') -> tuple[int, int] | None:
    """Rows and columns of the first map that a config compares with masks.

    Builds the model, without its weights, and runs it on one image of the split.

    Returns:
        (h, w); None if no guidance method of the config compares a map with masks.
    """
    if not cfg.model.get('guidance'):
        return None
    model = build_model(cfg, weights=False)
    if not any(isinstance(one, ON_MAPS) for one in model.guidance.modules()):
        return None
    loader = cfg[f'{split}_dataloader']
    dataset = build_dataset(copy.deepcopy(loader.dataset))
    image = dataset[0]['inputs']
    with temporary_evaluation(model), torch.no_grad(), model.feature_hook:
        inputs = model.data_preprocessor(dict(inputs=[image]))['inputs']
        model(inputs)
        captured = model.feature_hook.captured()
    return tuple(captured.maps(inputs)[0].shape[-2:])
