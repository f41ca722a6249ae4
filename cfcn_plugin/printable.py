"""Text from files, made fit to print."""

import re

# what a terminal obeys or a reader cannot see: control characters, bidirectional and
# zero-width marks, line and paragraph ends, lone surrogates (bytes that are no UTF-8)
_UNPRINTABLE = re.compile(
    '[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff'
    '\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]'
)


def printable(text: object) -> str:
    r"""Text with visible escapes in place of what a terminal or a page would obey.

    A file name, or a value in a file, may have terminal escapes, marks that turn the
    direction of writing, line ends, and bytes that are not UTF-8. These are shown as
    in Python's strings (``\\x1b``, ``\\u202e``). Other text stays as it is.

    Args:
        text: A string, a path, or an error.
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], str(text))


def printable_lines(text: str) -> str:
    """:func:`printable` for each line of a text whose line ends are meant."""
    return '\n'.join(printable(line.expandtabs()) for line in text.split('\n'))


def is_utf8(name: str) -> bool:
    """Whether a file's name can be written in UTF-8."""
    return not re.search('[\ud800-\udfff]', name)
