"""Masks of CVAT's export "Segmentation mask 1.1", colours of pixels."""

from io import BytesIO
from pathlib import PurePosixPath

import numpy as np

from .base import MaskRecord
from .errors import MaskError, at
from .io.archive import Archive
from .io.files import decode_lines
from .io.image import read_image
from .io.numbers import read_whole
from .mirror import MirrorMasks
from .objects import Annotated, ObjectChoice

FOLDER = 'SegmentationClass/'
LABELMAP = 'labelmap.txt'
BACKGROUND = 'background'
OPAQUE = 255
EXPORT = 'export from CVAT as "Segmentation mask 1.1" or "CVAT for images 1.1"'


class CVATColourMasks(MirrorMasks):
    """The zip "Segmentation mask 1.1", or the unpacked folder.

    The mask of ``<data_root>/<images>/a/b.jpg`` is ``SegmentationClass/a/b.png``, with
    the label colours of ``labelmap.txt``. "background" is context, unless an option
    names this label.

    Args:
        masks, images, data_root, **choice: As in :class:`.CVATMasks`.
    """

    def __init__(self, masks: str, images: str = '', data_root: str = '', **choice):
        super().__init__(masks, images, data_root)
        self.choice = ObjectChoice(**choice)
        self.archive = Archive(self.folder)
        with at(f"'{self.folder}', '{LABELMAP}'"):
            self.colours = self._read_labelmap()
            self.choice.check(self.colours.values())

    def __call__(self, results: dict) -> MaskRecord | None:
        key = self.key(results)
        inner = self.inner_path(key)
        name = f'{FOLDER}{inner.with_suffix(".png")}'
        if not self.archive.has(name):
            return None
        with at(f"'{self.folder}', '{name}'"):
            return self._read(name, results) if self.belongs(key) else None

    def _read(self, name: str, results: dict) -> MaskRecord:
        shape = results['ori_shape'][:2]
        # a valid compressed mask is no larger than its uncompressed pixels
        stored = self.archive.read(name, most=4 * shape[0] * shape[1])
        pixels = read_image(BytesIO(stored), shape, colours=True)
        values = pixels.view('<u4')[..., 0]
        found = []
        for colour in np.unique(values).tolist():
            if colour not in self.colours:
                strange = list(colour.to_bytes(4, 'little')[:3])
                raise MaskError(
                    f"a colour {strange} that '{LABELMAP}' does not have: "
                    'export it again'
                )
            label = self.colours[colour]
            if label != BACKGROUND or label in self.choice.option_categories:
                found.append(Annotated(label, colour))
        return self.choice.record(
            found,
            lambda colours, _: np.isin(values, colours).astype(np.uint8),
            results,
            f"{self.folder}', '{name}",
        )

    def owners(self) -> list[tuple[str, str]]:
        keys = (
            PurePosixPath(self.images, name[len(FOLDER) : -len('.png')]).as_posix()
            for name in self.archive.names()
            if name.startswith(FOLDER) and name.endswith('.png')
        )
        return [(key, key) for key in keys]

    def describe_missing(self) -> str:
        return f"'{FOLDER}*.png': {EXPORT}"

    def _read_labelmap(self) -> dict[int, str]:
        """Colour, as the four bytes of RGBA in one number -> label."""
        if not self.archive.has(LABELMAP):
            raise MaskError(f'does not exist: {EXPORT}')
        colours = {}
        for place, line in decode_lines(self.archive.read(LABELMAP)):
            if line.startswith('#'):
                continue
            with at(place):
                label, colour = _parse(line)
                if colours.setdefault(colour, label) != label:
                    raise MaskError(
                        f"'{label}' has the colour of "
                        f"'{colours[colour]}': give each its own in CVAT"
                    )
        return colours


def _parse(line: str) -> tuple[str, int]:
    """``label:r,g,b:parts:actions``; a label may have colons."""
    try:
        label, colour, _, _ = line.rsplit(':', 3)
        rgb = [read_whole(part) for part in colour.split(',')]
        if len(rgb) != 3:
            raise ValueError
        return label, int.from_bytes((*rgb, OPAQUE), 'little')
    except ValueError:  # from_bytes refuses numbers over 255
        raise MaskError(f"expected 'label:r,g,b:parts:actions', got {line!r}") from None
