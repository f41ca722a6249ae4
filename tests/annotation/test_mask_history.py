"""Undo and redo of edits of a mask."""
import numpy as np

from cfcn_plugin.annotation.mask_history import MaskHistory

SQUARE = [(1, 1), (4, 1), (4, 3), (1, 3)]
CORNER = [(0, 0), (2, 0), (2, 2), (0, 2)]


def empty():
    return MaskHistory(np.zeros((4, 6), np.uint8))


def test_add_and_erase():
    edit = empty()
    assert edit.fill(SQUARE, 1)
    assert edit.fill(CORNER, 0)
    np.testing.assert_array_equal(edit.mask, [[0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0],
                                              [0, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0]])
    assert edit.mask.dtype == np.uint8


def test_undo_and_redo_go_through_every_state():
    edit = empty()
    states = [edit.mask.copy()]
    for vertices, value in ((SQUARE, 1), (CORNER, 0), (CORNER, 1)):
        edit.fill(vertices, value)
        states.append(edit.mask.copy())
    edit.clear()
    for state in reversed(states):
        assert edit.undo()
        np.testing.assert_array_equal(edit.mask, state)
    assert not edit.undo()
    for state in states[1:]:
        assert edit.redo()
        np.testing.assert_array_equal(edit.mask, state)
    assert edit.redo() and not edit.mask.any() and not edit.redo()


def test_new_edit_after_an_undo_forgets_what_was_undone():
    edit = empty()
    edit.fill(SQUARE, 1)
    edit.undo()
    edit.fill(CORNER, 1)
    assert not edit.redo()


def test_edit_that_changes_nothing_is_no_edit():
    edit = empty()
    assert not edit.fill(SQUARE, 0) and not edit.clear()
    assert not edit.undo() and not edit.is_changed


def test_it_is_changed_until_saved_and_again_when_taken_back():
    edit = empty()
    edit.fill(SQUARE, 1)
    assert edit.is_changed
    edit.mark_saved()
    assert not edit.is_changed
    edit.undo()
    assert edit.is_changed
    edit.redo()
    assert not edit.is_changed
    edit.undo()
    edit.fill(CORNER, 1)
    assert edit.is_changed


def test_mask_to_begin_with_is_copied():
    mask = np.zeros((4, 6), np.uint8)
    MaskHistory(mask).fill(SQUARE, 1)
    assert not mask.any()
