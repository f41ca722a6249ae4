"""Drafts, revisions, tabs and the pace: nothing that was drawn is lost or replaced."""

import os

import numpy as np
import pytest
from drawing_photos import disc, saved
from PIL import Image

from cfcn_plugin.annotation.drawing.drafts import Draft, Drafts
from cfcn_plugin.annotation.drawing.leases import EXPIRES
from cfcn_plugin.annotation.drawing.runs import decode_runs, encode_runs
from cfcn_plugin.annotation.drawing.session import DrawingSession, WriteRefused
from cfcn_plugin.annotation.queue import AnnotationQueue
from cfcn_plugin.masks import MaskError

MASK = disc()
RUNS, OTHER = encode_runs(MASK), encode_runs(1 - MASK)


@pytest.fixture
def start(images, clock):
    """A session, as after a start of the tool."""
    return lambda **options: DrawingSession(
        AnnotationQueue(images, images.parent / 'masks', **options), clock=clock
    )


# ---- saving --------------------------------------------------------------------------


def test_saved_mask_is_the_drawn_one_and_the_image_is_done(start, images):
    session = start()
    facts, runs, _ = session.open(0, 'tab')
    assert not decode_runs(runs, (200, 300), 1).any()
    assert (facts['height'], facts['width'], facts['revision']) == (200, 300, '')
    session.save(0, 'tab', '', RUNS)
    np.testing.assert_array_equal(saved(images.parent / 'masks/a.png'), MASK * 255)
    assert session.status('tab')['states'] == 'doo'
    assert session.open(0, 'tab')[1] == RUNS


def test_empty_mask_is_not_saved(start, images):
    with pytest.raises(MaskError, match='nothing is drawn'):
        start().save(0, 'tab', '', encode_runs(MASK * 0))
    assert not (images.parent / 'masks').exists()


def test_mask_that_another_program_changed_is_not_replaced_unasked(start, images):
    session, file = start(), images.parent / 'masks/a.png'
    revision = session.save(0, 'tab', '', RUNS)
    Image.fromarray((1 - MASK) * 255).save(file)
    before = file.read_bytes()
    with pytest.raises(WriteRefused, match='changed'):
        session.save(0, 'tab', revision, RUNS)
    assert file.read_bytes() == before
    session.save(0, 'tab', revision, RUNS, agreed=['changed'])
    np.testing.assert_array_equal(saved(file), MASK * 255)


def test_mask_of_an_earlier_session_is_not_replaced_unasked(start):
    start().save(0, 'tab', '', RUNS)
    session = start()
    facts, *_ = session.open(0, 'tab')
    assert facts['earlier']
    with pytest.raises(WriteRefused, match='earlier'):
        session.save(0, 'tab', facts['revision'], OTHER)
    assert session.open(0, 'tab')[1] == RUNS
    session.save(0, 'tab', facts['revision'], OTHER, agreed=['earlier'])
    assert not session.open(0, 'tab')[0]['earlier']
    assert not start(redo=True).open(0, 'tab')[0]['earlier']


@pytest.mark.parametrize(
    'name', ['$\\frac{$', '\\$a$', '\x1b[2J', '\u202ex', os.fsdecode(b'caf\xe9')]
)
def test_image_of_any_name_can_be_drawn(start, images, name):
    (images / f'{name}.png').write_bytes((images / 'a.png').read_bytes())
    session = start()
    index = session.queue.names.index(f'{name}.png')
    session.open(index, 'tab')
    session.draft(index, 'tab', Draft('', RUNS))
    session.save(index, 'tab', '', RUNS)
    assert session.status('tab')['states'][index] == 'd'
    assert session.overview()['names'][index].isprintable()


def test_skipping_twice_takes_it_back(start):
    session = start()
    assert session.skip(1, 'tab') and session.status('tab')['states'] == 'oso'
    assert start().status('tab')['states'] == 'oso'
    assert not session.skip(1, 'tab') and session.status('tab')['states'] == 'ooo'


# ---- drafts --------------------------------------------------------------------------


def test_draft_outlives_a_kill_and_is_gone_once_saved(start, images):
    start().draft(1, 'tab', Draft('', RUNS))
    session = start()
    assert session.status('tab')['drafts'] == [1]
    facts, runs, _ = session.open(1, 'tab')
    assert facts['draft'] and runs == RUNS and not facts['earlier']
    session.save(1, 'tab', facts['revision'], runs)
    assert not session.open(1, 'tab')[0]['draft']
    session.drafts.close()
    assert [file.name for file in (images.parent / 'masks').iterdir()] == ['b.png']


def test_draft_upon_a_mask_that_changed_since_is_not_saved_unasked(start, images):
    session = start()
    revision = session.save(0, 'tab', '', RUNS)
    session.draft(0, 'tab', Draft(revision, OTHER))
    Image.fromarray(MASK * 0 + 255).save(images.parent / 'masks/a.png')
    facts, runs, _ = session.open(0, 'tab')
    assert facts['draft'] and runs == OTHER
    with pytest.raises(WriteRefused, match='changed'):
        session.save(0, 'tab', facts['revision'], runs)


def test_draft_that_is_no_mask_of_its_image_is_none(start, images):
    Drafts(images.parent / 'masks').write('a.png', Draft('', b'abc'))
    facts, runs, steps = start().open(0, 'tab')
    assert not facts['draft'] and steps == b''
    assert not decode_runs(runs, (200, 300), 1).any()


def test_steps_come_back_with_the_draft_and_are_bounded(start):
    start().draft(0, 'tab', Draft('', RUNS, b'steps'))
    assert start().open(0, 'tab')[1:] == (RUNS, b'steps')
    with pytest.raises(MaskError, match='at most 2000000 bytes of steps, got 2000001'):
        start().draft(0, 'tab', Draft('', OTHER, b' ' * 2_000_001))
    assert start().open(0, 'tab')[1] == RUNS


# ---- tabs ----------------------------------------------------------------------------


def test_image_is_one_tab_s_until_the_tab_leaves_it(start):
    session = start()
    assert session.open(0, 'one')[0]['mine'] and not session.open(0, 'two')[0]['mine']
    with pytest.raises(WriteRefused, match='taken'):
        session.save(0, 'two', '', RUNS)
    with pytest.raises(WriteRefused, match='taken'):
        session.draft(0, 'two', Draft('', RUNS))
    with pytest.raises(WriteRefused, match='taken'):
        session.skip(0, 'two')
    assert session.next_open('two', 2) == 1
    session.open(1, 'one')
    assert session.open(0, 'two')[0]['mine']


def test_tab_can_take_an_image_over_by_decision(start):
    session = start()
    session.open(0, 'one')
    assert session.open(0, 'two', force=True)[0]['mine']
    with pytest.raises(WriteRefused, match='taken'):
        session.draft(0, 'one', Draft('', RUNS))
    session.draft(0, 'one', Draft('', RUNS), agreed=['taken'])


def test_next_image_of_a_tab_is_none_if_others_have_the_rest(start):
    session = start()
    session.save(0, 'one', '', RUNS)
    session.skip(1, 'one')
    session.open(2, 'one')
    assert session.next_open('one', 0) == 2 and session.next_open('two', 0) is None


# ---- classes, pace -------------------------------------------------------------------


def test_classes_are_values_of_one_file(start, images):
    labels = MASK + disc()[::-1] * np.uint8(1)
    session = start(classes=['cow', 'plane'])
    session.save(0, 'tab', '', encode_runs(labels))
    np.testing.assert_array_equal(saved(images.parent / 'masks/a.png'), labels)
    assert start(classes=['cow', 'plane']).open(0, 'tab')[1] == encode_runs(labels)
    with pytest.raises(MaskError, match='value 2, and the classes are 1 to 1'):
        start(classes=['cow']).open(0, 'tab')


def test_time_left_is_the_pace_for_each_open_image(start, clock):
    session = start()
    session.open(0, 'tab')
    clock.now += 4
    session.save(0, 'tab', '', RUNS)
    assert session.status('tab')['seconds_left'] is None
    clock.now += 6
    session.skip(2, 'tab')
    assert session.status('tab')['seconds_left'] == 5  # median of 4 and 6, one image


def test_status_keeps_the_image_that_it_names_and_no_other(start, clock):
    session = start()
    session.open(0, 'one')
    clock.now += EXPIRES - 1
    session.status('one', 0)
    clock.now += EXPIRES - 1
    assert not session.status('two', 0)['mine']
    session.status('one', 1)
    assert session.status('two', 0)['mine'] and not session.status('one', 0)['mine']
