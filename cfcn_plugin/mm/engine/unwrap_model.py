"""Removing wrappers from a model."""

from torch import nn


def unwrap_model(model: nn.Module) -> nn.Module:
    """The model itself, without distributed or test-time augmentation wrappers."""
    while hasattr(model, 'module'):
        model = model.module
    return model
