"""Errors of a tool's user as one line, instead of a traceback."""

import re
import sys

DEFECTS = (AssertionError, AttributeError, NameError, NotImplementedError)
# the last line of a traceback in a message, as data workers send it
RAISED = re.compile(r'^\w[\w.]*(?:Error|Exception): ', re.MULTILINE)


def install() -> None:
    """Show errors as ``TOOL: error: MESSAGE``; ``--traceback`` shows where they arose.

    Errors that only a defect of the program can cause keep their traceback. Call the
    function before the slow imports.
    """
    if '--traceback' in sys.argv:
        sys.argv.remove('--traceback')
    else:
        sys.excepthook = show


def add_argument(parser) -> None:
    """Name the option in the help; :func:`install` has read and removed it."""
    parser.add_argument(
        '--traceback',
        action='store_true',
        help='show also where in the code an error arose',
    )


def show(kind: type[BaseException], error: BaseException, traceback) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print('interrupted', file=sys.stderr)
    elif issubclass(kind, DEFECTS):
        sys.__excepthook__(kind, error, traceback)
    else:
        tool = sys.argv[0].rpartition('/')[2]
        print(f'{tool}: error: {message(error)}', file=sys.stderr)


def message(error: BaseException) -> str:
    """The text of an error, without the traceback that a data worker's error quotes."""
    text = (
        str(error.args[0])
        if isinstance(error, KeyError) and error.args
        else (str(error) or type(error).__name__)
    )
    if 'Traceback (most recent call last)' in text:
        *_, (last) = [match.end() for match in RAISED.finditer(text)] or [0]
        text = text[last:]
    return text.strip()
