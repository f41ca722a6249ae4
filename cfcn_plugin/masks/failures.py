"""Count of unusable files, for runs that continue without such files."""

ALL_BAD = 32  # after so many failures without a success, the options are wrong


class Failures:
    """Counts the files that failed, and raises if all of the first 32 files failed.

    Each process, also each worker of a data loader, has its own counter.

    Args:
        error: The exception type that is raised.
        what: Description for the message, e.g. ``'images cannot be read'``.

    Attributes:
        any_fine: The caller sets this to True after a file was used.
    """

    def __init__(self, error: type[Exception], what: str):
        self.error = error
        self.what = what
        self.any_fine = False
        self.names = set()

    def add(self, name: str, error: Exception) -> int:
        """Number of failed files, including this file; 0 if this file failed before.

        Raises ``self.error`` when 32 files failed and no file could be used.
        """
        new = name not in self.names
        self.names.add(name)
        if not self.any_fine and len(self.names) >= ALL_BAD:
            raise self.error(
                f'the first {ALL_BAD} {self.what}: correct the folder or options. '
                f'The last error: {error}'
            ) from error
        return len(self.names) if new else 0
