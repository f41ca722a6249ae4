"""Checks of what a method is configured with."""
from collections.abc import Sequence
from numbers import Real


def check_choice(name: str, value, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ValueError(f'`{name}` must be one of {tuple(allowed)}, got {value!r}')


def check_weight(name: str, value: float) -> None:
    if not isinstance(value, Real) or not value >= 0:
        raise ValueError(f'`{name}` must be >= 0, got {value!r}')


def check_positive(name: str, value: float) -> None:
    if not isinstance(value, Real) or not value > 0:
        raise ValueError(f'`{name}` must be > 0, got {value!r}')
