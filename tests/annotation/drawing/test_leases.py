"""An image is one tab's until the tab leaves it or is silent for 12 seconds."""

import pytest

from cfcn_plugin.annotation.drawing.leases import EXPIRES, Leases


@pytest.fixture
def leases(clock):
    return Leases(clock)


def test_image_of_a_tab_is_free_once_the_tab_leaves_it(leases):
    assert leases.take(0, 'one') and leases.take(1, 'one')
    assert not leases.take(0, 'two') and leases.take(0, 'one')
    leases.leave('two')
    leases.leave('one', keep=1)
    assert leases.take(0, 'two') and not leases.take(1, 'two')


def test_image_of_a_silent_tab_is_free(leases, clock):
    leases.take(0, 'one')
    clock.now += EXPIRES - 1
    leases.take(0, 'one')
    clock.now += EXPIRES - 1
    assert leases.is_others(0, 'two')
    clock.now += 1
    assert not leases.is_others(0, 'two')


def test_image_is_taken_by_force(leases):
    leases.take(0, 'one')
    assert leases.take(0, 'two', force=True)
    assert leases.is_others(0, 'one') and not leases.is_others(0, 'two')
