"""Ratios by hand."""

from math import isnan
from unittest import mock

import pytest

from benchmarks.pairs import Line, Ratio, Turn, ratio_of, ratio_with_interval


def test_the_interval_of_thirty_is_the_tenth_and_the_twenty_first():
    # 2 P(Binomial(30, 1/2) < 10) = 0.0428; with 11 it would be 0.0987
    found = ratio_with_interval([float(i) for i in range(30, 0, -1)])
    assert found == Ratio(15.5, 10.0, 21.0, 30)


def test_the_interval_of_six_is_all_of_them():
    # 2 P(Binomial(6, 1/2) < 1) = 2 / 64 = 0.03125
    assert ratio_with_interval([3.0, 1.0, 2.0, 6.0, 5.0, 4.0]) == Ratio(
        3.5, 1.0, 6.0, 6
    )


def test_five_cannot_say():
    found = ratio_with_interval([1.0] * 5)
    assert found.median == 1 and isnan(found.low) and isnan(found.high)


def test_the_slower_one_s_ratio_is_of_the_pairs():
    clock, now = [], [0.0]

    def turn(name, takes):
        def run(pair):
            clock.append((name, pair))
            now[0] += takes(pair)

        return Turn(run, lambda pair: pair)

    with mock.patch('time.process_time', lambda: now[0]):
        ratio, took = ratio_of(
            turn('a', lambda pair: 2.0 + pair), turn('b', lambda pair: 1.0 + pair), 3
        )
    assert ratio.median == pytest.approx(3 / 2)  # of 2/1, 3/2, 4/3
    assert took == 2.0
    assert clock[:4] == [('a', 0), ('b', 0)] * 2  # untimed
    assert clock[4:] == [('b', 0), ('a', 0), ('a', 1), ('b', 1), ('b', 2), ('a', 2)]


def test_repeats_are_divided_out():
    now = [0.0]

    def run(_):
        now[0] += 3.0

    with mock.patch('time.process_time', lambda: now[0]):
        assert ratio_of(Turn(run), Turn(run), 1, repeat=4)[1] == 3.0


def test_an_aim_is_met_if_the_interval_reaches_it():
    assert Line('', Ratio(1.03, 1.02, 1.04, 30), 1.02).met
    assert not Line('', Ratio(1.03, 1.021, 1.04, 30), 1.02).met
    assert not Line('', Ratio(1.03, 1.02, 1.04, 30), 1.02, strict=True).met
    assert Line('', Ratio(9.0, 9.0, 9.0, 1)).met
