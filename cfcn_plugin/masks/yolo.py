"""Labels of YOLO, one text file per image."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from posixpath import basename, dirname

import numpy as np

from cfcn_plugin.options import check_flag, check_names

from .base import MaskRecord
from .errors import MaskError, at, expect
from .folder import FolderMasks
from .io.files import read_lines, walk_files
from .io.numbers import read_number, read_whole
from .io.rectangles import read_box
from .io.scale import to_pixels
from .io.shapes import draw_outlines
from .io.yolo_lines import BOX, may_be_pose, may_hold_pose
from .objects import Annotated, ObjectChoice

CLASSES = 'classes.txt'
FILES = 1000  # at most, that are read to tell polygons from pose


class YOLOMasks(FolderMasks):
    """YOLO: one line per object, normalised boxes or polygons.

    The labels of ``<data_root>/<images>/a/b.jpg`` are ``<data_root>/<labels>/a/b.txt``.
    A line is ``number cx cy width height``, or ``number x0 y0 x1 y1 x2 y2 ...`` with
    three points or more, in fractions of the image's width and height. A repeated line
    changes nothing. An empty file gives an empty mask. LabelImg's ``classes.txt`` among
    the labels is left out, if no image has this name.

    Args:
        labels: Folder of text files below ``data_root``.
        images: Folder of images below ``data_root``.
        data_root: The dataset's root.
        names: Names of the categories by number, ``names`` of YOLO's ``data.yaml``: a
            list or ``{number: name}``. None: a category's name is its number as text.
        keypoints: Whether lines of more than a box are a box and key points (YOLO
            pose): True takes the box, False takes such lines as polygons. None: they
            are polygons, and an error if the lines of the folder may be pose.
        **choice: Options of :class:`.ObjectChoice`. By default YOLO's number is the
            class.
    """

    option = 'labels'

    def __init__(
        self,
        labels: str = 'labels',
        images: str = 'images',
        data_root: str = '',
        names: Sequence[str] | dict[int, str] | None = None,
        keypoints: bool | None = None,
        **choice,
    ):
        super().__init__(labels, images, data_root, '.txt')
        check_names('names', names)
        check_flag('keypoints', keypoints, optional=True)
        if names is not None:
            # a dumped config has text keys instead of numbers
            pairs = names.items() if isinstance(names, dict) else enumerate(names)
            names = {read_whole(number): name for number, name in pairs}
        self.all_names = not (choice.get('classes') or choice.get('categories'))
        if names is not None and choice.get('objects', 'all') != 'all':
            choice.setdefault('classes', {name: i for i, name in names.items()})
        self.choice = ObjectChoice(**choice)
        self.names = names
        self.keypoints = keypoints
        self._pose: bool | None = None
        if names is not None:
            with at('`names`'):
                self.choice.check(set(names.values()))

    def _names(self) -> list[str]:
        return [
            name
            for name in super()._names()
            if basename(name) != CLASSES or self._has_image(dirname(name))
        ]

    def _has_image(self, folder: str) -> bool:
        """Whether an image has the name of ``CLASSES``."""
        files = Path(self.data_root, self.images, folder).glob('classes.*')
        return any(file.suffix != '.txt' for file in files)

    def read(self, file: Path, shape: tuple[int, int], results: dict) -> MaskRecord:
        found = []
        for place, line in read_lines(file):
            with at(place):
                found.append(self._read_object(line.split(), shape, file))
        return self.choice.record(found, draw_outlines, results, str(file))

    def _read_object(self, words: list[str], shape: tuple, file: Path) -> Annotated:
        """An object, its box or polygon in pixels."""
        number, *values = words
        expect(
            number.isascii() and number.isdecimal() and len(number) < 10,
            "a category's number first",
            number,
        )
        name = str(int(number)) if self.names is None else self.names.get(int(number))
        if name is None and self.all_names:
            raise MaskError(
                f'category {number} is none of the {len(self.names)} '
                '`names`: correct one of them'
            )
        if not self.choice.wants(name):
            return Annotated(name or number, None)
        try:
            fractions = [*map(read_number, values)]
        except ValueError:
            fractions = []
        if len(fractions) > BOX:
            fractions = self._without_points(fractions, file)
        count = len(fractions)
        expect(
            count == BOX or (count >= 6 and count % 2 == 0),
            '4 numbers (a box) or an even count of 6 and more (a polygon) after the '
            "category's",
            ' '.join(values),
        )
        if count > BOX:
            outline = to_pixels(fractions, shape, normalized=True)
            return Annotated(name, np.reshape(outline, (-1, 2)))
        x, y, width, height = fractions
        corners = read_box(
            (x - width / 2, y - height / 2, x + width / 2, y + height / 2),
            remedy=': width and height must be over 0',
        )
        return Annotated(name, tuple(to_pixels(corners, shape, normalized=True)))

    def _without_points(self, fractions: list[float], file: Path) -> list[float]:
        """The numbers of a polygon, or of the box beside key points."""
        rest = len(fractions) - BOX
        if self.keypoints and (rest % 2 == 0 or rest % 3 == 0):
            return fractions[:BOX]
        if self.keypoints is None and (
            self._may_hold_pose(file) or (len(fractions) % 2 and may_be_pose(fractions))
        ):
            raise MaskError(
                'a polygon, or a box and key points (YOLO pose)? The lines of this '
                'folder may be both: set keypoints=True to take the boxes, or '
                'keypoints=False if all are polygons or rotated boxes'
            )
        return fractions

    def _may_hold_pose(self, file: Path) -> bool:
        """Whether the folder's lines may be pose; its first files tell."""
        if self._pose is None:
            names = islice(walk_files(self.folder, self.option), FILES)
            files = [self.folder / name for name in names if name.endswith('.txt')]
            self._pose = may_hold_pose(dict.fromkeys([*files, file]))
        return self._pose
