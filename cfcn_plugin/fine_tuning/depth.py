"""The layers of a model, from the image on."""

from collections import defaultdict
from contextlib import suppress

from torch import nn


def layers_by_depth(model: nn.Module) -> list[list[str]]:
    """Names of a model's parameters, one list a layer, the first layers first.

    A timm model is grouped by its own ``group_matcher``, a backbone of mmpretrain by
    its own ``get_layer_depth`` where it has one. In other models a layer is a module
    that holds parameters, in the order in which modules were defined.

    Args:
        model: The model, or a backbone.
    """
    if hasattr(model, 'group_matcher'):
        from timm.models import group_parameters

        groups = group_parameters(model, model.group_matcher(coarse=False))
        return [groups[key] for key in sorted(groups)]
    names = [name for name, _ in model.named_parameters()]
    if hasattr(model, 'get_layer_depth'):
        # some depths of ResNet, and fewer stages than usual
        with suppress(NotImplementedError, IndexError):
            # with the prefix of a classifier's backbone: ResNet's goes by that name
            depths = [
                model.get_layer_depth(f'backbone.{name}', 'backbone.')[0]
                for name in names
            ]
            return [
                [name for name, depth in zip(names, depths) if depth == layer]
                for layer in sorted(set(depths))
            ]
    layers = defaultdict(list)
    for name in names:
        layers[name.rpartition('.')[0]].append(name)
    return list(layers.values())
