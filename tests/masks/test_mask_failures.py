"""Unusable masks are named once and not by the thousand; not all of them can be bad."""
import pytest

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.mask_failures import ALL_BAD, MAX_WARNINGS, MaskFailures

ERROR = MaskError('it is half')


@pytest.fixture
def lines():
    return []


@pytest.fixture
def failures(lines):
    return MaskFailures(lines.append)


def test_after_a_hundred_the_rest_is_not_named(failures, lines):
    failures.any_loaded = True
    for _ in range(2):
        for number in range(3 * MAX_WARNINGS):
            failures.add(f"image '{number}'", ERROR)
    assert len(lines) == MAX_WARNINGS + 1
    assert lines[0] == "image '0' is unguided: it is half"
    assert 'not named' in lines[-1] and '`mask_error_fraction`' in lines[-1]


def test_failures_without_a_success_are_a_wrong_option(failures):
    for number in range(ALL_BAD - 1):
        for _ in range(3):
            failures.add(f"image '{number}'", ERROR)
    with pytest.raises(MaskError, match='first 32 masks .* wrong option; .* half'):
        failures.add('another', ERROR)


def test_one_success_makes_them_bad_files(failures, lines):
    failures.any_loaded = True
    for number in range(2 * ALL_BAD):
        failures.add(f"image '{number}'", ERROR)
    assert len(lines) == 2 * ALL_BAD
