"""The page of a choice of images: what was chosen, and why."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from cfcn_plugin.annotation.choice import Chosen
from cfcn_plugin.printable import printable
from cfcn_plugin.visualization.contact_sheet import Entry, contact_sheet

from .page import render_page
from .sheets import ReportFigure

SHOWN = 36  # images of a class
MOST = 20  # classes with images
HOW = {
    'random': 'Each image has the same chance.',
    'coverage': 'Together they represent the variety of each class: each next image '
    'lowers the distances of all images to the nearest chosen one most, in features of '
    'the backbone.',
    'context': 'The model keeps its answer when its likely object, which is marked, is '
    'filled with the colours around it: the answer seems to rest on the background. '
    'The first images keep it most.',
}


def write_choice_page(
    file: Path,
    title: str,
    by: str,
    images: Sequence[tuple],
    chosen: Sequence[Chosen],
    load: Callable[[int], np.ndarray],
    names: Sequence[str] = (),
    command: str = '',
) -> None:
    """Write the page.

    Args:
        file: The HTML file.
        title: Of the page.
        by: How the images were chosen, a key of ``HOW``.
        images: (key, label) of all images.
        chosen: The chosen ones, the best first.
        load: The image of an index, (H, W, 3) uint8, RGB.
        names: Names of the classes; without one, a class has its number.
        command: The command of the choice.
    """
    named = dict(enumerate(names))
    groups, sizes = defaultdict(list), defaultdict(int)
    for _, label in images:
        for one in _labels(label):
            sizes[one] += 1
    for one in chosen:
        for label in _labels(images[one.index][1]):
            groups[label].append(one)
    figures = []
    for label, some in sorted(groups.items())[:MOST]:
        stream, shown = BytesIO(), some[:SHOWN]
        contact_sheet(
            stream,
            [
                Entry(load(one.index), one.mask, images[one.index][0], one.reason)
                for one in shown
            ],
        )
        figures.append(
            ReportFigure(
                str(label),
                printable(named.get(label, f'class {label}')),
                f'{len(shown)} of {len(some)} chosen images.',
                [(stream.getvalue(), '')],
            )
        )
    file.write_text(
        render_page(
            'choice.html',
            title=printable(title),
            by=by,
            how=HOW[by],
            figures=figures,
            chosen=len(chosen),
            total=len(images),
            command=printable(command),
            classes=[
                (printable(named.get(label, label)), len(groups[label]), size)
                for label, size in sorted(sizes.items())
            ],
        ),
        encoding='utf-8',
    )


def _labels(label) -> list:
    return label if isinstance(label, list | tuple) else [label]
