"""Texts of figures: names and labels are shown as they are."""

from cfcn_plugin.printable import printable_lines


def figure_text(text: object) -> str:
    """A text for matplotlib, in which ``$`` begins no formula.

    Each name or label of a user that becomes a title, a label, a tick or an entry of a
    legend goes through this function. Line ends stay; what cannot be printed is shown
    by an escape.
    """
    return printable_lines(str(text)).replace('$', r'\$')
