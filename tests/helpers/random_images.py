"""Images of noise."""

import torch


def images(batch=2, size=32, seed=0):
    return torch.randn(
        batch, 3, size, size, generator=torch.Generator().manual_seed(seed)
    )
