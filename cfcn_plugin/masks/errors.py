"""Errors of masks and of files of masks, and the checks that raise these errors."""

from collections.abc import Iterable

from cfcn_plugin.printable import printable

from .io.stored_names import normal_name

LONGEST = 1000  # characters of a message, which may quote a file
SHOWN = 80  # characters of a quoted value


class MaskError(ValueError):
    """A mask, or a file of masks, cannot be used; the message has the reason."""

    places = ''

    def __str__(self) -> str:
        message = printable(self.places + super().__str__())  # it quotes files
        if len(message) > LONGEST:  # keep the end: the end has the remedy
            message = f'{message[: LONGEST - 300]} ... {message[-290:]}'
        return message


class MaskSizeError(MaskError):
    """The (H, W) ``size`` of a mask differs from the size of its image."""

    # `size` is optional: an error from a worker process is unpickled from its text
    def __init__(self, message: str, size: tuple = ()):
        super().__init__(message)
        self.size = size


class ForeignImageError(MaskError):
    """An image is none of a mask source's: it lies elsewhere, or has no name."""


class at:  # noqa: N801  (named as the context managers of contextlib)
    """Put a file, or a place in a file, before the message of a MaskError.

    Nested contexts are joined, the outer place first: ``'a.json', shape 3: ...``. A
    class, since a generator costs twice as much for each of a million entries.
    """

    def __init__(self, place: str):
        self.place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, traceback) -> None:
        if isinstance(error, MaskError):
            self.mark(error)

    def mark(self, error: MaskError) -> None:
        places = f', {error.places}' if error.places else ': '
        error.places = f'{self.place}{places}'


def expect(is_right: object, expected: str, got, remedy: str = '') -> None:
    """Raise a MaskError if a value of an annotation file is wrong.

    The message has the expected value, the beginning of the actual value, the remedy.
    """
    if not is_right:
        shown = repr(got)
        shown = shown if len(shown) <= SHOWN else f'{shown[:SHOWN]} ...'
        raise MaskError(f'expected {expected}, got {shown}{remedy}')


def is_list_of(kind: type, value) -> bool:
    """Whether a value is a list of ``kind`` alone."""
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)


def check_size(size: tuple, shape: tuple) -> None:
    """Raise a MaskSizeError if a mask's ``size`` (H, W) is not the image's size."""
    if tuple(size) != tuple(shape):
        raise MaskSizeError(
            f'height and width {tuple(size)}, its image {tuple(shape)}: make the mask '
            'at the size of its image',
            tuple(size),
        )


def unknown_keys_error(
    keys: Iterable[str], what: str, of: str, known: Iterable[str] = ()
) -> MaskError:
    """The error for masks or list entries that belong to no image.

    Args:
        keys: The keys of the entries.
        what, of: The kind of entry, and the file or folder with the entries.
        known: Keys of images, to suggest a key that differs only in case.
    """
    keys = sorted(keys)
    folded = {normal_name(key).casefold(): key for key in known}
    some = []
    for key in keys[:3]:
        like = folded.get(normal_name(key).casefold())
        some.append(f"'{key}'" + (f" (did you mean '{like}'?)" if like else ''))
    return MaskError(
        f'{len(keys)} {what} of {of} belong to no image, for example '
        f'{", ".join(some)}: remove them, or correct names or `data_root`'
    )
