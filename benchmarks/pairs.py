"""Ratios of two ways to do a thing, from turns they take in one process."""
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
        median, low, high: Of the pairs' ratios. ``low == high`` where the figure is
            counted, not timed.
        pairs: How many.
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
    """One figure.

    Attributes:
        what: In words.
        ratio: The figure.
        aim: At most this, if something was aimed at.
        unit: What one of the second is, in words; '' if it does not matter.
        strict: Whether the median must reach the aim, and not its interval alone.
    """
    what: str
    ratio: Ratio
    aim: float | None = None
    unit: str = ''
    strict: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure reaches the aim or below."""
        reached = self.ratio.median if self.strict else self.ratio.low
        return self.aim is None or reached <= self.aim


@dataclass(frozen=True)
class Turn:
    """One of two that take turns.

    Attributes:
        run: Called with what ``make`` gave; this is timed.
        make: Called with the pair's number before, untimed.
    """
    run: Callable[[Any], None]
    make: Callable[[int], Any] = int


def ratio_of(first: Turn, second: Turn, pairs: int, device: str = 'cpu',
             repeat: int = 1) -> tuple[Ratio, float]:
    """How much longer the first takes than the second.

    Whatever else the machine does hits both: they take turns, and in going first.
    Before, each runs twice untimed.

    Args:
        first, second: What is compared.
        pairs: Turns of each, >= 1.
        device: What to wait for before the clock is read.
        repeat: Runs in one turn, where one is too short for the clock.

    Returns:
        The ratio, and the second's median time in seconds, of one run.
    """
    for turn in (first, second) * 2:
        turn.run(turn.make(0))
    times = {first: [], second: []}
    for pair in range(pairs):
        for turn in (first, second) if pair % 2 else (second, first):
            times[turn].append(seconds(turn, pair, device, repeat))
    ratio = ratio_with_interval([a / b for a, b in zip(times[first], times[second])])
    return ratio, median(times[second])


def seconds(turn: Turn, pair: int, device: str = 'cpu', repeat: int = 1,
            clock: Callable[[], float] | None = None) -> float:
    """One turn's time, of one run.

    The clock of a CPU is the time that this process has had of it, which does not run
    while others have it; a GPU's is the wall's.
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

    The k-th smallest and k-th largest of n hold the true median between them with
    probability 1 - 2 P(Binomial(n, 1/2) < k), whatever the distribution: the largest k
    for which this is at least 95 % is taken (10 of 30). Fewer than 6 cannot say: then
    the interval is not a number.
    """
    n, values = len(ratios), sorted(ratios)
    k, below = 0, comb(n, 0) / 2**n  # P(Binomial < k + 1)
    while below <= 0.025:
        k += 1
        below += comb(n, k) / 2**n
    low, high = (values[k - 1], values[n - k]) if k else (nan, nan)
    return Ratio(median(values), low, high, n)
