"""Each failed file is counted once; if all files fail, an error is raised."""

import pytest

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.failures import ALL_BAD, Failures

ERROR = MaskError('it is half')


@pytest.fixture
def failures():
    return Failures(MaskError, 'masks cannot be used')


def test_each_file_counts_once(failures):
    assert [failures.add(name, ERROR) for name in 'aabca'] == [1, 0, 2, 3, 0]


def test_failures_without_a_success_are_a_wrong_option(failures):
    for number in range(ALL_BAD - 1):
        for _ in range(3):
            failures.add(f"image '{number}'", ERROR)
    with pytest.raises(MaskError, match='first 32 masks .*: correct .*options.* half'):
        failures.add('another', ERROR)


def test_one_success_makes_them_bad_files(failures):
    failures.any_fine = True
    for number in range(2 * ALL_BAD):
        assert failures.add(f"image '{number}'", ERROR) == number + 1
