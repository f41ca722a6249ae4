"""Numbers of an annotation file: what Python converts and no tool writes is refused.

``float`` and ``int`` also convert ``True``, ``'1_0'`` and the digits of every script.
"""

import math
from collections.abc import Iterable
from numbers import Integral, Real


def read_number(value) -> float:
    """A finite number, or one as decimal ASCII text (spaces around it are dropped).

    Raises:
        ValueError: The value is no such number (also: a bool, an infinity, NaN).
    """
    kind = type(value)
    if kind is str:
        is_number = '_' not in value and value.strip().isascii()
    else:  # a bool is a Real
        is_number = kind in (int, float) or (
            isinstance(value, Real) and kind is not bool
        )
    try:
        number = float(value) if is_number else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f'expected a finite number, got {value!r:.80}')
    return number


def read_whole(value) -> int:
    """A whole number from 0, or one as ASCII digits (spaces around it are dropped).

    Raises:
        ValueError: The value is no such number (also: a bool, ``'1.0'``, ``'+1'``).
    """
    if isinstance(value, str):
        text = value.strip()
        if text.isascii() and text.isdecimal() and len(text) < 19:  # below 2**63
            return int(text)
    elif is_whole(value):
        return int(value)
    raise ValueError(f'expected a whole number from 0, got {value!r:.80}')


def is_whole(value, least: int = 0) -> bool:
    """Whether a value is a whole number, at least ``least``; a bool is none."""
    return (
        isinstance(value, Integral) and type(value) is not bool and int(value) >= least
    )


def are_numbers(values: Iterable, *kinds: type) -> bool:
    """Whether all values are of exactly these types (a bool is no int)."""
    return set(map(type, values)) <= {*kinds}
