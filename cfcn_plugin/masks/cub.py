"""The boxes and segmentations of CUB-200-2011."""

from collections.abc import Iterator
from pathlib import Path
from posixpath import join

import numpy as np

from cfcn_plugin.options import check_whole

from .base import MaskRecord
from .boxes import BoxMasks
from .errors import MaskError, at, expect
from .folder import FolderMasks
from .io.files import read_lines
from .io.image import read_image
from .io.palette import shown_values
from .io.table import Entry

OPAQUE = 255


class CUBBoxMasks(BoxMasks):
    """``images.txt`` and ``bounding_boxes.txt``: one box around each bird.

    Args:
        data_root: The dataset's root, which holds both files.
        ann_file: The boxes, ``id x y width height`` in pixels.
        names: The images, ``id path``.
        images: Folder that the paths are relative to.
        normalized: As in :class:`.BoxMasks`.
    """

    def __init__(
        self,
        data_root: str = '',
        ann_file: str = 'bounding_boxes.txt',
        names: str = 'images.txt',
        images: str = 'images',
        normalized: bool | None = None,
    ):
        self.images = images
        self.list = Path(data_root, names)
        super().__init__(ann_file, data_root, format='xywh', normalized=normalized)

    def entries(self) -> Iterator[Entry]:
        for place, (name, *box) in read_cub_boxes(self.file, self.list):
            yield place, [join(self.images, name), *box]


def read_cub_boxes(boxes: Path, names: Path) -> Iterator[Entry]:
    """Each image of ``names`` (``images.txt``) with its box.

    Yields:
        Place of the box in its file, and name, x, y, width, height, unparsed. For an
        image without a box the name alone, which :func:`.read_box` refuses.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: The two files do not belong together.
    """
    images = {}
    with at(f"'{names}'"):
        for place, line in read_lines(names):
            number, *name = line.split()
            with at(place):
                expect(
                    len(name) == 1 and number not in images,
                    'a new id and a path',
                    line.strip(),
                )
            images[number] = name[0]
    seen = set()
    for place, line in read_lines(boxes):
        number, *box = line.split()
        with at(place):
            if number not in images:
                raise MaskError(
                    f"id {number} is none of '{names}': take both files "
                    'from one release'
                )
            if number in seen:
                raise MaskError(f'id {number} occurs twice, expected one box per bird')
        seen.add(number)
        yield place, [images[number], *box]
    for number in images if seen else ():
        if number not in seen:
            yield (
                (
                    f"id {number} of '{names}' has no box, take both files from one "
                    'release'
                ),
                [images[number]],
            )


class CUBSegmentationMasks(FolderMasks):
    """``segmentations/<class>/<name>.png``: grey, the fraction of five annotators.

    Args:
        masks, images, data_root: As in :class:`.MirrorMasks`.
        threshold: Smallest causal value, 1 to 255. The default is half of 255, rounded
            up: a majority of the five annotators (3 of 5 is 153).
    """

    def __init__(
        self,
        data_root: str = '',
        masks: str = 'segmentations',
        images: str = 'images',
        threshold: int = 128,
    ):
        super().__init__(masks, images, data_root, '.png')
        check_whole('threshold', threshold, least=1, most=255)
        self.threshold = threshold

    def read(self, file: Path, shape: tuple[int, int], results: dict) -> MaskRecord:
        values = read_image(file, shape, values=shown_values)
        if values.shape[2:] == (2,) and (values[..., 1] == OPAQUE).all():
            values = values[..., 0]  # drop an opaque alpha channel
        if values.ndim != 2 or values.dtype != np.uint8:
            raise MaskError(
                'expected a grey PNG of 8 bits, as CUB-200-2011 has them, '
                f'got shape {values.shape} and {values.dtype}'
            )
        return MaskRecord((values >= self.threshold).astype(np.uint8), str(file))
