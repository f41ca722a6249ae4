"""What marks became: counts, images without an outline, and the worst images."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cfcn_plugin.masks.io.open_image import open_image
from cfcn_plugin.masks.refine_record import WAYS, describe_ways
from cfcn_plugin.visualization.contact_sheet import Entry

from .convert import ConversionResult
from .load_image import load_image

LISTED = 20  # images without an outline
SHOWN = 48  # images on the sheet


def outline_lines(results: Sequence[ConversionResult], index: Path) -> Iterator[str]:
    """Lines with the ways to outlines, and the images with a mark without an outline.

    Args:
        results: Of all images.
        index: The file that has all of them.
    """
    ways = sum((one.ways for one in results), Counter())
    yield f'Marks became {describe_ways(ways)}.'
    coarse = [one for one in results if one.ways['ellipse'] + one.ways['mark']]
    for one in coarse[:LISTED]:
        yield f'  {one.image}: {_describe(one)}'
    if len(coarse) > LISTED:
        yield f"  ... and {len(coarse) - LISTED} more: column `ways` of '{index}'"


def worst_outlines(
    results: Sequence[ConversionResult], images: str | Path, masks: str | Path
) -> list[Entry]:
    """Entries of a contact sheet: without an outline first, then the smallest.

    Args:
        results: Of all images.
        images: The folder of images.
        masks: The folder of masks.
    """
    worst_first = list(WAYS)[::-1]
    refined = sorted(
        (one for one in results if one.ways),
        key=lambda one: (
            [-one.ways[way] for way in worst_first[:-1]],
            one.rows[0].kept,
        ),
    )
    return [
        Entry(
            load_image(Path(images, one.image)),
            _mask(one, masks),
            one.image,
            f'{_describe(one)}; {one.rows[0].kept:.0%} of the mark',
        )
        for one in refined[:SHOWN]
    ]


def _describe(result: ConversionResult) -> str:
    return ', '.join(
        f'{result.ways[way]} {text}' for way, text in WAYS.items() if result.ways[way]
    )


def _mask(result: ConversionResult, folder: str | Path) -> np.ndarray:
    """The union of an image's files, uint8 {0, 1}, (H, W)."""
    planes = []
    for row in result.rows:
        with open_image(Path(folder, row.mask)) as image:
            planes.append(np.array(image.convert('L') if image.mode == '1' else image))
    return np.any(planes, 0).astype(np.uint8)
