"""Bad masks are said once, not by the thousand, and not when all are bad."""
import pytest
from mmengine.logging import MMLogger

from cfcn_plugin.masks import MaskError
from cfcn_plugin.mm.transforms.failures import ALL_BAD, MOST_SAID, Failures

ERROR = MaskError('it is half')


@pytest.fixture
def lines(monkeypatch):
    said = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', said.append)
    return said


def test_after_a_hundred_the_rest_is_not_named(lines):
    failures = Failures()
    failures.any_fine = True
    for _ in range(2):
        for number in range(3 * MOST_SAID):
            failures.add(f"image '{number}'", ERROR)
    assert len(lines) == MOST_SAID + 1
    assert lines[0] == "image '0' is unguided: it is half"
    assert 'not named' in lines[-1] and '`mask_error_fraction`' in lines[-1]


def test_failures_without_a_success_are_a_wrong_option(lines):
    failures = Failures()
    for number in range(ALL_BAD - 1):
        for _ in range(3):
            failures.add(f"image '{number}'", ERROR)
    with pytest.raises(MaskError, match='first 32 masks .* wrong option; .* half'):
        failures.add('another', ERROR)


def test_one_success_makes_them_bad_files(lines):
    failures = Failures()
    failures.any_fine = True
    for number in range(2 * ALL_BAD):
        failures.add(f"image '{number}'", ERROR)
    assert len(lines) == 2 * ALL_BAD
