"""A contact sheet of suspicious images with their masks."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .figure_text import figure_text
from .overlay import overlay_mask, scale_to_fit, shorten_name

COLUMNS = 6
LONGEST = 320  # pixels of an image's longer side
GREY = 190


@dataclass(frozen=True)
class Entry:
    """An image on the sheet.

    Attributes:
        image: (H, W, 3) uint8, RGB; None if it cannot be read.
        mask: (h, w) {0, 1}, scaled to the image; None without a mask.
        name: The image's name.
        reason: Why the image is on the sheet.
        stops: Whether the problem stops a training run.
    """

    image: np.ndarray | None
    mask: np.ndarray | None
    name: str
    reason: str
    stops: bool = False


def contact_sheet(
    path: str | Path | BinaryIO, entries: Sequence[Entry], title: str = ''
) -> None:
    """Write a sheet of images with the outlines of their masks, names and reasons.

    Args:
        path: PNG to write, or a stream.
        entries: At least one entry.
        title: Title of the sheet.
    """
    columns = min(COLUMNS, len(entries))
    rows = -(-len(entries) // columns)
    figure = Figure(
        figsize=(2.5 * max(columns, 3), 2.9 * rows + 0.6),
        layout='constrained',
        facecolor='white',
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
        axis.set_anchor('N')
    for axis, entry in zip(axes, entries):
        axis.imshow(_entry_pixels(entry), interpolation='nearest')
        axis.set_title(
            figure_text(shorten_name(entry.name, 34)), size=8, color='#1f2933'
        )
        reason = figure_text(textwrap.fill(entry.reason, 34, max_lines=2))
        axis.text(
            0.5,
            -0.03,
            reason,
            size=8,
            color='#c0232c' if entry.stops else '#7b4a12',
            va='top',
            ha='center',
            transform=axis.transAxes,
            weight='bold' if entry.stops else 'normal',
        )
    if title:
        figure.suptitle(figure_text(title), size=11, color='#1f2933')
    figure.savefig(path, dpi=110)


def _entry_pixels(entry: Entry) -> np.ndarray:
    if entry.image is None:
        return np.full((LONGEST * 3 // 4, LONGEST, 3), GREY, np.uint8)
    image = scale_to_fit(entry.image, LONGEST)
    return image if entry.mask is None else overlay_mask(image, entry.mask)
