"""A file of weights of a whole timm model, for the model without its classifier."""

from collections.abc import Collection, Mapping

from timm.models import load_state_dict
from torch import nn

from cfcn_plugin.mm.safe_loading import checkpoint_errors


def load_weights(
    model: nn.Module, file: str, model_name: str, classifier: Collection[str]
) -> None:
    """Load a file into a timm model that has no classifier.

    Args:
        model: The model.
        file: Of a model with a classifier of any number of classes, or without one.
        model_name: The model's name, for messages.
        classifier: State-dict keys of the classifier, which are left out.

    Raises:
        UnsafeCheckpointError: The file would run code when it is opened.
        CheckpointError: The file is damaged.
        ValueError: The weights are not the model's.
    """
    with checkpoint_errors(file):
        found = load_state_dict(file, weights_only=True)
        weights = {key: found[key] for key in found if key not in classifier}
    names = (getattr(model, 'pretrained_cfg', None) or {}).get('classifier') or ()
    names = (names,) if isinstance(names, str) else names
    own = model.state_dict()  # a model can be without its classifier by default
    weights = {
        key: value
        for key, value in weights.items()
        if key in own or key.rpartition('.')[0] not in names
    }
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f"weights '{file}' are not those of {model_name}: "
            f'{_difference(weights, own)}. Give its own by '
            '`model.backbone.checkpoint_path`'
        ) from error


def _difference(weights: Mapping, own: Mapping) -> str:
    """The first difference of a file's weights from the model's."""
    for key, value in own.items():
        if key not in weights and not key.endswith('num_batches_tracked'):
            some = ', '.join(map(repr, list(weights)[:3]))
            return f"the file has no '{key}', and has {some or 'none'} ..."
        shape = tuple(getattr(weights.get(key), 'shape', ()))
        if shape != tuple(value.shape):
            return (
                f"'{key}' has shape {shape} in the file and "
                f'{tuple(value.shape)} in the model'
            )
    unknown = [key for key in weights if key not in own]
    return f'the model has no {", ".join(map(repr, unknown[:3]))}'
