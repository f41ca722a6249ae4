"""Checks of what a class is configured with; the errors name the option."""

import math
from collections.abc import Sequence
from numbers import Integral, Real


def check_choice(name: str, value, allowed: Sequence[str]) -> None:
    """Raise a ValueError unless an option is one of the allowed words."""
    if value not in allowed:
        raise ValueError(f'`{name}` must be one of {tuple(allowed)}, got {value!r}')


def check_number(
    name: str,
    value,
    least: float = -math.inf,
    most: float = math.inf,
    above: float | None = None,
) -> None:
    """Check that an option is a finite number.

    Args:
        name: The option.
        value: Its value. A bool or a text is no number.
        least, most: The smallest and the largest number that are allowed.
        above: In the place of ``least``: what the number must be larger than.

    Raises:
        ValueError: The value is no number, NaN, infinite or not in the range.
    """
    low = least if above is None else above
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if is_number and math.isfinite(value) and low <= value <= most and value != above:
        return
    if most < math.inf:
        expected = f'in {"[" if above is None else "("}{low}, {most}]'
    elif low > -math.inf:
        expected = f'{">=" if above is None else ">"} {low}'
    else:
        expected = 'a finite number'
    raise ValueError(f'`{name}` must be {expected}, got {value!r}')


def check_whole(
    name: str, value, least: int | None = None, most: int | None = None
) -> None:
    """Check that an option is a whole number, from ``least`` to ``most``.

    Raises:
        ValueError: The value is no whole number, or not in the range.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ValueError(f'`{name}` must be a whole number, got {value!r}')
    if most is not None:
        check_number(name, value, -math.inf if least is None else least, most)
    elif least is not None and value < least:
        raise ValueError(f'`{name}` must be at least {least}, got {value!r}')


def check_flag(name: str, value, optional: bool = False) -> None:
    """Raise a TypeError if an option is neither True nor False, nor an allowed None."""
    if not isinstance(value, bool) and not (optional and value is None):
        raise TypeError(f'`{name}` must be True or False, got {value!r}')


def check_names(name: str, value) -> None:
    """Raise a TypeError if the option ``name`` is one string instead of several."""
    if isinstance(value, str):
        raise TypeError(f'`{name}` must be several names, got {value!r}')
