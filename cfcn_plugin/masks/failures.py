"""Files that could not be used, where that does not end a run."""

ALL_BAD = 32  # so many failures and no success are not a bad file


class Failures:
    """Counts the files that failed, and tells a bad file from a wrong option.

    A process has its own, and so does each worker of a data loader.

    Args:
        error: What to raise where all fail.
        what: What failed, for the message, e.g. ``'images cannot be read'``.

    Attributes:
        any_fine: Set it when a file could be used.
    """

    def __init__(self, error: type[Exception], what: str):
        self.error = error
        self.what = what
        self.any_fine = False
        self.names = set()

    def add(self, name: str, error: Exception) -> int:
        """How many files failed so far, with this one; 0 if this one failed before.

        Raises ``self.error`` when 32 files failed and none was fine.
        """
        new = name not in self.names
        self.names.add(name)
        if not self.any_fine and len(self.names) >= ALL_BAD:
            raise self.error(
                f'the first {ALL_BAD} {self.what}, which is not a bad file but a wrong '
                f'folder or option; the last one: {error}') from error
        return len(self.names) if new else 0
