"""Restored random states give the same numbers in every generator."""

import random

import numpy as np
import torch

from cfcn_plugin.mm.random_state import random_state, seed_by, set_random_state


def numbers():
    return (
        random.random(),
        random.gauss(0, 1),
        np.random.rand(),
        np.random.standard_normal(),
        torch.randn(3).tolist(),
    )


def test_a_state_set_back_gives_the_same_numbers():
    np.random.standard_normal()  # numpy keeps the second one of a pair
    random.gauss(0, 1)
    state = random_state()
    first = numbers()
    numbers()
    set_random_state(state)
    assert numbers() == first


def test_same_numbers_give_the_same_draws_and_others_do_not():
    draws = []
    for numbers in ((1, 2), (1, 2), (2, 1), (1, 3)):
        seed_by(*numbers)
        draws.append((random.random(), np.random.rand(), torch.rand(()).item()))
    assert draws[0] == draws[1]
    for generator in zip(*draws[1:]):
        assert len(set(generator)) == 3
