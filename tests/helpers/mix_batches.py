"""Batches to be mixed, and every random generator seeded."""

import random

import numpy as np
import torch

from cfcn_plugin.guidance import MaskBatch

SIZE = 24


def batch(count=6, planes=1, classes=None, guided=None, seed=0):
    """Noise, one-hot scores of distinct labels, and boxes as masks."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(count, planes, SIZE, SIZE, dtype=torch.uint8)
    for i in range(count):
        for k in range(planes):
            mask[i, k, 2 * i : 2 * i + 9, 5 + i + 3 * k : 17] = 1
    guided = torch.tensor(guided or [True] * count)
    mask *= guided.view(-1, 1, 1, 1)
    ignore = ~guided[:, None, None].expand(-1, SIZE, SIZE)
    masks = MaskBatch(mask, ignore, guided, classes, torch.tensor(0.0))
    inputs = torch.rand(count, 3, SIZE, SIZE, generator=generator)
    return inputs, torch.eye(count), masks


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def mixed_two(augment, scores=None, want=lambda one: 0.2 < one < 0.8, **kwargs):
    """Two images mixed with each other, for the first seed that does."""
    for seed in range(100):
        inputs, one_hot, masks = batch(2, **kwargs)
        seed_all(seed)
        inputs, mixed, masks = augment(
            inputs, one_hot if scores is None else scores, masks
        )
        if want(float(masks.components[0].weight[0])):
            return inputs, mixed, masks
    raise AssertionError('no seed mixes the two')
