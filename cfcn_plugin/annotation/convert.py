"""Converting the masks of any source to a folder of PNG files, with an index."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cfcn_plugin.atomic_write import atomic_write
from cfcn_plugin.masks import GrabCut, MaskError, MaskRecord
from cfcn_plugin.masks.io.names import join_inside
from cfcn_plugin.masks.io.open_image import open_image
from cfcn_plugin.masks.refine_record import RefineRecord
from cfcn_plugin.options import check_choice
from cfcn_plugin.printable import is_utf8
from cfcn_plugin.state_file import read_state

from .load_image import image_shape
from .mask_index import IndexRow, read_index, write_index
from .mask_values import LAYOUTS, causal_and_unknown, mask_files
from .parallel_map import parallel_map
from .png_folder import check_distinct_masks, check_masks_apart, mask_name, write_png
from .samples import Samples

INDEX, ORIGIN = 'index.csv', 'made_from.json'


class ConversionResult(NamedTuple):
    """The mask files of one image.

    Attributes:
        image: The image's name.
        rows: Its rows of the index, one per file; empty if the image has no mask.
        failure: The reason of a failed conversion; empty on success.
    """

    image: str
    rows: tuple[IndexRow, ...] = ()
    failure: str = ''

    @property
    def ways(self) -> Counter:
        """How the marks became outlines; empty if they were not refined."""
        pairs = (
            (pair.split('=') for pair in self.rows[0].ways.split()) if self.rows else ()
        )
        return Counter({way: int(count) for way, count in pairs})


class MaskConverter:
    """Writes the mask of an image as PNG files that PNGMasks reads.

    A single mask has the values 0 for context, 255 for cause, and 127 for unknown.
    A source with one mask per class is written in one of three layouts:

    - ``'union'``: one mask, the union of all classes.
    - ``'values'``: a label file, with the value ``c + 1`` for class ``c`` and 255 for
      unknown. Classes must not overlap and must be below 254.
    - ``'folders'``: one folder per class, ``<out>/<class>/a/b.png``.

    An existing file with the same values is kept. An existing file with other values
    is an error, unless ``overwrite`` is True. Files are written atomically.

    Args:
        samples: The images with the loader of their masks.
        out: The folder of masks.
        layout: One of the three layouts.
        overwrite: Whether existing files may be replaced.
        refine: Refines marks to outlines. None: masks are written as they are.

    Raises:
        ValueError: ``layout`` is unknown.
        MaskError: Two images would have the same mask file, or a mask would replace an
            image.
    """

    def __init__(
        self,
        samples: Samples,
        out: str | Path,
        layout: str = 'union',
        overwrite: bool = False,
        refine: GrabCut | None = None,
    ):
        check_choice('layout', layout, LAYOUTS)
        check_distinct_masks(samples.names)
        check_masks_apart(samples.names, samples.root, out)
        self.samples = samples
        self.out = Path(out)
        self.layout = layout
        self.overwrite = overwrite
        # what has no outline is in the index, and needs no warning
        self.refine = refine and RefineRecord(refine, _say_nothing)

    def __call__(self, index: int) -> ConversionResult:
        """Convert the mask of one image."""
        name, sample = self.samples.names[index], self.samples[index]
        if not is_utf8(name):  # neither the index nor a list can hold the name
            return ConversionResult(
                name, failure='its name is not UTF-8: rename the image'
            )
        try:
            result = self.samples.loader.query(sample, image_shape(sample))
            if result.kind in ('missing', 'unchosen'):
                return ConversionResult(name)
            if result.kind not in ('mask', 'empty'):
                return ConversionResult(name, failure=result.reason)
            record, more = self._refined(index, result.record)
            files = mask_files(record, mask_name(name), self.layout)
            return ConversionResult(
                name, tuple(self._write(name, *file)._replace(**more) for file in files)
            )
        except (MaskError, OSError) as error:
            return ConversionResult(name, failure=str(error))

    def _refined(self, index: int, record: MaskRecord) -> tuple[MaskRecord, dict]:
        """The record with outlines, and fields of its rows."""
        if self.refine is None or not record.mask.any():
            return record, {}
        # in the order of mmcv's colours: the outlines of a training
        image = self.samples.load_image(index)[..., ::-1]
        refined, ways = self.refine(self.samples.names[index], record, image)
        return refined, dict(
            ways=' '.join(f'{way}={count}' for way, count in sorted(ways.items())),
            kept=float(f'{refined.mask.sum() / record.mask.sum():.4g}'),
        )

    def _write(
        self, name: str, file: str, values: np.ndarray, labels: Sequence[int]
    ) -> IndexRow:
        path, label_files = join_inside(self.out, file), self.layout == 'values'
        if self.overwrite or not path.exists():
            write_png(path, values, palette=label_files, one_bit=not label_files)
        elif not _holds(path, values):
            raise MaskError(
                f"'{path}' exists and holds another mask: --overwrite replaces it"
            )
        fractions = causal_and_unknown(values, label_files and len(labels) > 0)
        return IndexRow(
            name,
            file,
            *values.shape,
            *(float(f'{fraction:.6g}') for fraction in fractions),
            ' '.join(map(str, labels)),
        )


def convert_masks(
    converter: MaskConverter, origin: dict, jobs: int = 1
) -> Iterator[ConversionResult]:
    """Convert all masks and write the folder's index, or continue an interrupted run.

    Rows are appended to the index during the run, and sorted at the end. A mask of an
    earlier run is not converted again if all its files exist. An earlier run of another
    origin that has left no mask is forgotten.

    Args:
        converter: Converts the mask of one image.
        origin: Description of the source in JSON's types; it is saved in the folder.
        jobs: Number of processes.

    Yields:
        The result of each image, first the results of an earlier run.

    Raises:
        FileExistsError: The folder has masks of another origin.
        ValueError: A file of the earlier run cannot be read.
    """
    out, names = converter.out, converter.samples.names
    out.mkdir(parents=True, exist_ok=True)
    before = (
        {}
        if converter.overwrite
        else _read_finished(out, origin, converter.samples.root)
    )
    done = {name: before[name] for name in names if name in before}
    # in this order: after a kill no row of another origin counts as done
    _write_index(out, done.values())
    atomic_write(out / ORIGIN, json.dumps(origin, indent=2) + '\n')
    yield from done.values()
    todo = [i for i, name in enumerate(names) if name not in done]
    with (out / INDEX).open('a', newline='', encoding='utf-8') as stream:
        writer = csv.writer(stream)
        for result in parallel_map(converter, todo, jobs):
            writer.writerows(result.rows)
            stream.flush()
            done[result.image] = result
            yield result
    _write_index(out, sorted(done.values(), key=lambda result: result.image))


def _read_finished(out: Path, origin: dict, images: str) -> dict:
    """{image: result} of the images in the index that have all their files."""
    if not (out / ORIGIN).is_file():
        return {}
    remedy = 'choose another folder, or replace the masks with --overwrite'
    before = read_state(out / ORIGIN, f'Then {remedy}')
    if before != json.loads(json.dumps(origin)):
        if _has_masks(out.absolute(), Path(images).absolute()):
            raise FileExistsError(
                f"'{out}' has masks of another origin, see '{out / ORIGIN}': {remedy}"
            )
        return {}
    rows = {}
    # a kill at the very beginning leaves no index
    for row in read_index(out / INDEX) if (out / INDEX).is_file() else ():
        rows.setdefault(row.image, []).append(row)
    return {
        name: ConversionResult(name, tuple(own))
        for name, own in rows.items()
        if all((out / row.mask).is_file() for row in own)
    }


def _has_masks(out: Path, images: Path) -> bool:
    """Whether there is a PNG file that is not below an inner folder of images."""
    apart = out in images.parents
    return any(not (apart and images in file.parents) for file in out.rglob('*.png'))


def _write_index(out: Path, results: Iterable[ConversionResult]) -> None:
    write_index(out / INDEX, (row for result in results for row in result.rows))


def _say_nothing(text: str) -> None:
    pass


def _holds(path: Path, values: np.ndarray) -> bool:
    try:
        with open_image(path) as image:
            grey = image.convert('L') if image.mode == '1' else image
            return np.array_equal(grey, values)
    except (OSError, SyntaxError):
        return False
