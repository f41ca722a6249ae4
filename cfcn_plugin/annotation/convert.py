"""A folder of PNG masks made from any source, with an index."""
import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cfcn_plugin.masks import MaskError, MaskRecord
from cfcn_plugin.mm.transforms import LoadActivationMask

from .mask_query import MaskQuery
from .png_folder import (
    check_own_mask,
    mask_name,
    write_png,
    write_text,
)
from .processes import in_processes
from .samples import image_shape

INDEX, ORIGIN = 'index.csv', 'made_from.json'
LAYOUTS = ('union', 'values', 'folders')
CAUSAL, UNKNOWN = 255, 127  # values of one mask
UNKNOWN_CLASS = 255  # of label files, as in Pascal VOC


class Row(NamedTuple):
    """A line of the index: one file of masks.

    Attributes:
        image: The image's name.
        mask: The file, below the folder of masks.
        height: Of both, in pixels.
        width: Of both, in pixels.
        area: Share of the image that is causal, in [0, 1].
        ignored: Share of the image of which nobody knows.
        classes: Labels with a mask in the file, separated by spaces.
    """
    image: str
    mask: str
    height: int
    width: int
    area: float
    ignored: float
    classes: str


@dataclass(frozen=True)
class Made:
    """What became of one image.

    Attributes:
        image: Its name.
        rows: Its lines of the index, one a file; none if it has no mask.
        failure: Why no mask could be made; empty if none had to be, or could.
    """
    image: str
    rows: tuple[Row, ...] = ()
    failure: str = ''


class MaskMaker:
    """Writes the masks of images as PNG files that PNGMasks reads.

    One mask is 0 for context and 255 for the cause; where nobody knows it is 127.
    A source of one mask a class is laid out in one of three ways:

    - ``'union'``: one mask, causal where any class is.
    - ``'values'``: a label file, class ``c`` has the value ``c + 1``, and 255 is where
      nobody knows. Classes must not overlap and must be under 254.
    - ``'folders'``: a folder a class, ``<out>/<class>/a/b.png``.

    A file that is there is kept if it holds the same, and is else an error unless
    ``overwrite``. Files appear whole or not at all.

    Args:
        samples: The images, with their ``names``.
        load: Knows the source, and how masks lie on photographs with an EXIF turn.
        out: The folder of masks.
        layout: As above.
        overwrite: Whether other files may be replaced.
    """

    def __init__(self,
                 samples: Sequence[dict],
                 load: LoadActivationMask,
                 out: str | Path,
                 layout: str = 'union',
                 overwrite: bool = False):
        if layout not in LAYOUTS:
            raise ValueError(f'`layout` must be one of {LAYOUTS}, got {layout!r}')
        check_own_mask(samples.names)
        self.samples = samples
        self.ask = MaskQuery(load)
        self.out = Path(out)
        self.layout = layout
        self.overwrite = overwrite

    def __call__(self, index: int) -> Made:
        """Make the mask of one image."""
        name, sample = self.samples.names[index], self.samples[index]
        try:
            answer = self.ask(sample, image_shape(sample))
            if answer.kind not in ('mask', 'empty'):
                known = answer.kind in ('missing', 'unchosen')
                return Made(name, failure='' if known else answer.reason)
            rows = [self._write(name, file, values, labels)
                    for file, values, labels in self._files(name, answer.record)]
        except (MaskError, OSError) as error:
            return Made(name, failure=str(error))
        return Made(name, tuple(rows))

    def _files(self, name: str, record: MaskRecord) -> Iterator[tuple]:
        """(file below ``out``, values, classes) of each file of an image."""
        file = mask_name(name)
        if record.mask.ndim == 2:
            yield file, one_mask(record.mask, record.ignore), ()
        elif self.layout == 'union':
            yield file, one_mask(record.mask.max(0), record.ignore), record.classes
        elif self.layout == 'values':
            yield file, label_values(record), record.classes
        else:
            for plane, label in zip(record.mask, record.classes):
                yield f'{label}/{file}', one_mask(plane, record.ignore), (label, )

    def _write(self, name: str, file: str, values: np.ndarray,
               labels: Sequence[int]) -> Row:
        path = self.out / file
        if self.overwrite or not path.exists():
            labels_inside = self.layout == 'values'
            write_png(path, values, palette=labels_inside, one_bit=not labels_inside)
        elif not _holds(path, values):
            raise MaskError(f"'{path}' exists and holds something else: it is replaced "
                            'with --overwrite alone')
        unknown = values == (
            UNKNOWN_CLASS if self.layout == 'values' and len(labels) else UNKNOWN)
        area = ((values != 0) & ~unknown).mean()
        return Row(name, file, *values.shape, _short(area), _short(unknown.mean()),
                   ' '.join(map(str, labels)))


def make_masks(maker: MaskMaker, origin: dict, jobs: int = 1) -> Iterator[Made]:
    """Make all masks, and keep the folder's index; go on where an earlier run stopped.

    The index gets its lines as files are made, and is sorted in the end. What was made
    before and is still there is not made again.

    Args:
        maker: Makes one.
        origin: What the masks are made from, in JSON's types; it is kept beside them.
        jobs: Number of processes.

    Yields:
        What became of each image, those of an earlier run first.

    Raises:
        FileExistsError: The folder holds masks made from something else.
    """
    out = maker.out
    out.mkdir(parents=True, exist_ok=True)
    done = {} if maker.overwrite else _made_before(out, origin)
    done = {name: done[name] for name in maker.samples.names if name in done}
    write_text(out / ORIGIN, json.dumps(origin, indent=2) + '\n')
    _write_index(out, done.values())
    yield from done.values()
    todo = [i for i, n in enumerate(maker.samples.names) if n not in done]
    with (out / INDEX).open('a', newline='', encoding='utf-8') as stream:
        writer = csv.writer(stream)
        for made in in_processes(maker, todo, jobs):
            writer.writerows(made.rows)
            stream.flush()
            done[made.image] = made
            yield made
    _write_index(out, sorted(done.values(), key=lambda made: made.image))


def _made_before(out: Path, origin: dict) -> dict[str, Made]:
    """What an index says was made of each image, where all its files are there."""
    if not (out / ORIGIN).is_file():
        return {}
    before = json.loads((out / ORIGIN).read_text(encoding='utf-8'))
    if before != json.loads(json.dumps(origin)):
        raise FileExistsError(
            f"'{out}' holds masks made from something else, see '{out / ORIGIN}': "
            'choose another folder, or replace them with --overwrite')
    rows = {}
    with (out / INDEX).open(newline='', encoding='utf-8') as stream:
        for row in list(csv.reader(stream))[1:]:
            if len(row) == len(Row._fields):  # a kill may cut the last line short
                rows.setdefault(row[0], []).append(_row(row))
    return {
        name: Made(name, tuple(own)) for name, own in rows.items()
        if all((out / row.mask).is_file() for row in own)
    }


def _write_index(out: Path, all_made: Iterable[Made]) -> None:
    part = out / f'.{INDEX}.part'
    with part.open('w', newline='', encoding='utf-8') as stream:
        writer = csv.writer(stream)
        writer.writerow(Row._fields)
        for made in all_made:
            writer.writerows(made.rows)
    part.replace(out / INDEX)


def _row(cells: list[str]) -> Row:
    image, mask, height, width, area, ignored, classes = cells
    return Row(image, mask, int(height), int(width), float(area), float(ignored),
               classes)


def _short(share: float) -> float:
    return float(f'{share:.6g}')


def one_mask(mask: np.ndarray, ignore: np.ndarray | None) -> np.ndarray:
    """uint8 (H, W): 0 context, 255 causal, 127 where nobody knows."""
    values = mask * np.uint8(CAUSAL)
    if ignore is not None:
        values[ignore == 1] = UNKNOWN
    return values


def label_values(record: MaskRecord) -> np.ndarray:
    """uint8 (H, W): 0 context, class + 1, 255 where nobody knows.

    Raises:
        MaskError: Classes overlap, or there are too many for 8 bits.
    """
    highest = max(record.classes, default=0)
    if highest + 1 >= UNKNOWN_CLASS:
        raise MaskError(f"mask '{record.file}' has class {highest}: label files hold "
                        'classes under 254, write a folder a class with '
                        '--classes folders')
    both = (record.mask.sum(0, dtype=np.int64) > 1).sum()
    if both:
        raise MaskError(
            f"masks of classes {record.classes.tolist()} in '{record.file}' overlap in "
            f'{both} pixels, and a label file holds one class a pixel: write a folder '
            'a class with --classes folders, or one mask with --classes union')
    labels = record.classes.astype(np.uint8)[:, None, None] + np.uint8(1)
    values = (record.mask * labels).max(0, initial=0)
    if record.ignore is not None:
        values[record.ignore == 1] = UNKNOWN_CLASS
    return values


def _holds(path: Path, values: np.ndarray) -> bool:
    """Whether a file holds these values."""
    try:
        with Image.open(path) as image:
            grey = image.convert('L') if image.mode == '1' else image
            return np.array_equal(np.array(grey), values)
    except (OSError, SyntaxError):
        return False
