"""Running a transform on image and masks by the same random numbers."""

import inspect
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from torch.overrides import TorchFunctionMode

from cfcn_plugin.mm.random_state import random_state, set_random_state

from .transform_kinds import unwrap

# The random functions of torchvision's transforms
TORCH_RANDOM = (
    torch.rand,
    torch.randint,
    torch.randn,
    torch.randperm,
    torch.bernoulli,
    torch.multinomial,
    torch.normal,
    torch.Tensor.bernoulli_,
    torch.Tensor.normal_,
    torch.Tensor.random_,
    torch.Tensor.uniform_,
)


class OneDraw:
    """Runs a transform and its copies with the same random numbers.

    The draws of the first run are recorded and repeated in the other runs. This changes
    neither the transform nor the process, so threads may share a transform. Recording
    supports the transforms of mmcv, mmpretrain and torchvision. For a user's subclass
    the states of all random generators are restored instead, which is not thread-safe.

    Args:
        transform: The transform.
    """

    def __init__(self, transform):
        inside = unwrap(transform)
        package = type(inside).__module__.partition('.')[0]
        self.stock = package in ('mmcv', 'mmpretrain', 'torchvision')
        self.by_methods = self.stock and isinstance(inside, BaseTransform)
        self.parts = [
            name
            for name, part in vars(inside).items()
            if isinstance(part, BaseTransform)
        ]

    def __call__(self) -> Callable[[Any, dict], dict]:
        """Begin a draw; returns ``run(transform, results)``, the results of a run."""
        if self.by_methods:
            return ByMethods(self.parts)
        if self.stock:
            return partial(_run_torch, [])
        return partial(_run_set_back, random_state())


class ByMethods:
    """Runs copies whose random methods take recorded draws, or draw and record.

    A copy is needed, since mmcv's ``cache_random_params`` changes the transform, and
    RandomResize sets the size of its Resize.

    Args:
        parts: Names of the attributes that are transforms.

    Attributes:
        drawn: What each random method gave, by its name.
    """

    def __init__(self, parts: list[str]):
        self.parts = parts
        self.drawn: dict[str, Any] = {}

    def __call__(self, transform: BaseTransform, results: dict) -> dict:
        transform = _shallow_copy(transform)
        for name in self.parts:
            setattr(transform, name, _shallow_copy(getattr(transform, name)))
        for name, method in _random_methods(type(transform)).items():
            setattr(transform, name, partial(self._draw, transform, name, method))
        return transform(results)

    def _draw(self, transform: BaseTransform, name: str, method: Callable, *args):
        if name not in self.drawn:
            self.drawn[name] = method(transform, *args)
        return self.drawn[name]


def _shallow_copy(transform: BaseTransform) -> BaseTransform:
    """As ``copy.copy``, in a third of the time; for each image and transform."""
    made = object.__new__(type(transform))
    vars(made).update(vars(transform))
    return made


@cache
def _random_methods(transform: type) -> dict[str, Callable]:
    """The methods that mmcv or mmpretrain marks as random."""
    methods = {name: inspect.getattr_static(transform, name) for name in dir(transform)}
    return {
        name: method.func
        for name, method in methods.items()
        if isinstance(method, cache_randomness)
    }


def _run_torch(drawn: list, transform, results: dict) -> dict:
    with _Drawn(drawn):
        return transform(results)


class _Drawn(TorchFunctionMode):
    """In this thread, torch takes draws from a list; new draws are appended."""

    def __init__(self, drawn: list[torch.Tensor]):
        super().__init__()
        self.drawn, self.used = drawn, 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func not in TORCH_RANDOM:
            return func(*args, **(kwargs or {}))
        if self.used == len(self.drawn):
            self.drawn.append(func(*args, **(kwargs or {})))
        self.used += 1
        return self.drawn[self.used - 1].clone()


def _run_set_back(state: tuple, transform, results: dict) -> dict:
    set_random_state(state)
    return transform(results)
