"""Saving and restoring the states of all random generators."""

import random

import numpy as np
import torch


def random_state(device: torch.device | None = None) -> tuple:
    """The state of Python's, numpy's and torch's generators.

    Args:
        device: A CUDA device whose generator is included.
    """
    on_device = None
    if device is not None and device.type == 'cuda':
        on_device = torch.cuda.get_rng_state(device)
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), on_device


def set_random_state(state: tuple, device: torch.device | None = None) -> None:
    """Restore a state of :func:`random_state` for the same device."""
    random.setstate(state[0])
    np.random.set_state(state[1])
    torch.set_rng_state(state[2])
    if state[3] is not None:
        torch.cuda.set_rng_state(state[3], device)


def seed_by(*numbers: int, devices: bool = True) -> None:
    """Seed Python's, numpy's and torch's generators by several numbers together.

    Other numbers, or another order of the numbers, give unrelated draws.

    Args:
        *numbers: Each >= 0.
        devices: Whether the generators of GPUs in use are seeded too.
    """
    low, high = map(int, np.random.SeedSequence(numbers).generate_state(2))
    seed = low | high << 32
    random.seed(seed)
    np.random.seed(low)
    torch.default_generator.manual_seed(seed)
    # not torch.manual_seed: it records a stack trace for uninitialised GPUs
    if devices and torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
