"""Ratios of the times of two functions that run alternately in one process."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import comb, nan
from statistics import median
from typing import Any

import torch


@dataclass(frozen=True)
class Ratio:
    """A median of ratios, and its 95 % interval.

    Attributes:
        median, low, high: Of the pairs' ratios. ``low == high`` if the ratio is
            counted and not timed.
        pairs: Number of pairs.
    """

    median: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        if self.low == self.high:
            return f'{self.median:.3f}'
        return f'{self.median:.3f} ({self.low:.3f} to {self.high:.3f})'


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        what: Description of the two functions.
        ratio: Their ratio.
        aim: The largest accepted ratio; None for no aim.
        unit: The cost of one run of the second function, as text, or ''.
        strict: Whether the median must meet the aim, and not only the lower end of the
            interval.
    """

    what: str
    ratio: Ratio
    aim: float | None = None
    unit: str = ''
    strict: bool = False

    @property
    def met(self) -> bool:
        """Whether the ratio is at or below the aim."""
        reached = self.ratio.median if self.strict else self.ratio.low
        return self.aim is None or reached <= self.aim


@dataclass(frozen=True)
class Turn:
    """One of two functions that run alternately.

    Attributes:
        run: The timed function, called with the result of ``make``.
        make: The untimed preparation, called with the number of the pair.
    """

    run: Callable[[Any], None]
    make: Callable[[int], Any] = int


def ratio_of(
    first: Turn, second: Turn, pairs: int, device: str = 'cpu', repeat: int = 1
) -> tuple[Ratio, float]:
    """The time of the first function over the time of the second.

    The two run alternately, and each is first in every other pair, so that other load
    on the machine affects both. Before, each runs twice untimed.

    Args:
        first, second: The functions.
        pairs: Number of pairs, >= 1.
        device: The device to synchronise before the clock is read.
        repeat: Runs in one turn, > 1 if one run is too short for the clock.

    Returns:
        The ratio, and the second function's median time of one run in seconds.
    """
    for turn in (first, second) * 2:
        turn.run(turn.make(0))
    times = {first: [], second: []}
    for pair in range(pairs):
        for turn in (first, second) if pair % 2 else (second, first):
            times[turn].append(seconds(turn, pair, device, repeat))
    ratio = ratio_with_interval([a / b for a, b in zip(times[first], times[second])])
    return ratio, median(times[second])


def seconds(
    turn: Turn,
    pair: int,
    device: str = 'cpu',
    repeat: int = 1,
    clock: Callable[[], float] | None = None,
) -> float:
    """The time of one run in a turn, in seconds.

    For a CPU the clock is the CPU time of this process, for a GPU the wall clock.
    """
    if clock is None:
        clock = time.process_time if device == 'cpu' else time.perf_counter
    given = [turn.make(pair) for _ in range(repeat)]
    synchronize(device)
    start = clock()
    for one in given:
        turn.run(one)
    synchronize(device)
    return (clock() - start) / repeat


def synchronize(device: str) -> None:
    if device.startswith('cuda'):
        torch.cuda.synchronize(device)


def ratio_with_interval(ratios: list[float]) -> Ratio:
    """The median, and its interval by order statistics.

    For any distribution, the true median lies between the k-th smallest and the k-th
    largest of n values with probability 1 - 2 P(Binomial(n, 1/2) < k). k is the largest
    number for which this probability is at least 95 % (10 of 30). With fewer than 6
    values there is no such k: the ends of the interval are NaN.
    """
    n, values = len(ratios), sorted(ratios)
    k, below = 0, comb(n, 0) / 2**n  # P(Binomial < k + 1)
    while below <= 0.025:
        k += 1
        below += comb(n, k) / 2**n
    low, high = (values[k - 1], values[n - k]) if k else (nan, nan)
    return Ratio(median(values), low, high, n)
