"""Errors of single entries of an annotation file, kept until their image is loaded.

A broken entry makes its image's mask unusable, and no other mask. An error that belongs
to no image is raised when the file is read.
"""

from collections.abc import Callable
from typing import Any

from .errors import MaskError, at


def read_or_defer(place: str, read: Callable, *args) -> Any:
    """``read(*args)``; or the MaskError that ``read`` raised, with its place."""
    try:
        with at(place):
            return read(*args)
    except MaskError as error:
        return without_traceback(error)


def without_traceback(error: MaskError) -> MaskError:
    """A copy of an error; a traceback would keep the entry's objects in memory."""
    return restore_error(pack_error(error))


def pack_error(error: MaskError) -> tuple:
    """An error as a record that marshal supports."""
    return ..., error.places, Exception.__str__(error)


def is_packed_error(record) -> bool:
    """Whether a record is an error that was kept for its image."""
    return isinstance(record, tuple) and record[:1] == (...,)


def restore_error(record: tuple) -> MaskError:
    """The error of a packed record, with its places."""
    _, places, message = record
    error = MaskError(message)
    error.places = places
    return error
