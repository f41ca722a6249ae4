"""The queue of images to annotate, with the files and the state of their masks."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from cfcn_plugin.atomic_write import atomic_write
from cfcn_plugin.masks import MaskError, PNGMasks
from cfcn_plugin.masks.io.names import join_inside
from cfcn_plugin.masks.io.stored_names import images_of_stem
from cfcn_plugin.printable import printable

from .png_folder import (
    check_distinct_masks,
    check_masks_apart,
    list_images,
    mask_name,
    write_png,
)

SKIPPED = 'skipped.txt'
MOST_CLASSES = 253  # of a label file of 8 bits, see mask_values


class AnnotationQueue:
    """Images in a fixed order; an image is done when its mask exists.

    The mask of ``<images>/a/b.jpg`` is ``<masks>/a/b.png``, with values 0 and 255 and
    the size of the image after the EXIF orientation is applied. Skipped images are
    saved in ``<masks>/skipped.txt``.

    Args:
        images: Folder of images.
        masks: Folder of masks, made when the first mask is saved.
        names: The images to annotate, as paths below ``images``. None: all.
        redo: Show all images again, and replace the masks of earlier sessions.
        classes: Names of the classes, if a mask has one class a pixel: the file's value
            of class k is k + 1, as ``tools/make_masks.py --classes values`` writes
            them. Empty: masks of 0 and 255.

    Attributes:
        done: Names of the images with a finished mask.
        skipped: Names of the images that were skipped.

    Raises:
        FileNotFoundError: An image does not exist.
        MaskError: Two images would have the same mask, a mask would be outside
            ``masks``, or a mask would replace an image.
    """

    def __init__(
        self,
        images: str | Path,
        masks: str | Path,
        names: Iterable[str] | None = None,
        redo: bool = False,
        classes: Sequence[str] = (),
    ):
        check_classes(classes)
        self.classes = tuple(classes)
        self.images = Path(images)
        self.masks = Path(masks)
        self.names = (
            list_images(images, leave_out=masks) if names is None else list(names)
        )
        self.redo = redo
        masked = {n for n in self.names if self.mask_file(n).is_file()}
        check_masks_apart(self.names, images, masks)
        check_distinct_masks([*self.names, *self._beside()])
        missing = [n for n in self.names if not Path(images, n).is_file()]
        if missing:
            raise FileNotFoundError(
                f'{len(missing)} of {len(self.names)} images do not exist below '
                f"'{images}', for example '{printable(missing[0])}'"
            )
        self._saved: set[str] = set()  # in this session
        self.done = set() if redo else masked
        self.skipped: set[str] = set()
        if Path(masks, SKIPPED).is_file():
            lines = Path(masks, SKIPPED).read_text('utf-8', 'replace').split('\n')
            # a kill between the two files of `save` leaves a mask's name in the list
            self.skipped.update({*map(_name_of, lines)} - masked - {''})

    def __len__(self) -> int:
        return len(self.names)

    def _beside(self) -> Iterator[str]:
        """Images with the mask of an image of the queue, perhaps not in the queue."""
        same = os.path.abspath(self.images) == os.path.abspath(self.masks)
        for name in self.names:
            for other in images_of_stem(
                str(self.images / name), ('.png',) if same else ()
            ):
                yield os.path.join(os.path.dirname(name), other)

    def mask_file(self, name: str) -> Path:
        return join_inside(self.masks, mask_name(name))

    def has_earlier_mask(self, name: str) -> bool:
        """Whether the image has a mask that was not saved in this session."""
        return name not in self._saved and self.mask_file(name).exists()

    def next_pending(self, after: int = -1) -> int | None:
        """Index of the next image that has no mask and was not skipped.

        The search begins after index ``after``, and continues from the first image.
        None: there is no such image.
        """
        order = [*range(after + 1, len(self)), *range(after + 1)]
        finished = self.done | self.skipped
        return next(
            (index for index in order if self.names[index] not in finished), None
        )

    def load_mask(self, name: str, shape: tuple[int, int]) -> np.ndarray:
        """The image's mask, uint8 of (H, W) ``shape``; zeros if missing.

        The values are 0 and 1, or class + 1 if there are classes.

        Raises:
            MaskError: The mask cannot be read, has a value that is no class, or its
                size is not the image's size.
        """
        file = self.mask_file(name)
        if not file.is_file():
            return np.zeros(shape, np.uint8)
        if self.classes:
            mask = self._load_labels(file, shape)
        else:
            source = PNGMasks('', data_root=str(self.masks))
            mask = source(dict(img_path=self.masks / name, ori_shape=shape)).mask
        if mask.shape != shape:
            raise MaskError(
                f"mask '{file}' has height and width {mask.shape}, its image {shape}"
            )
        return mask

    def _load_labels(self, file: Path, shape: tuple[int, int]) -> np.ndarray:
        source = PNGMasks('', causal=[*range(1, len(self.classes) + 1)])
        values = source.values(file, shape)
        if values.dtype.kind == 'b' or values.max(initial=0) > len(self.classes):
            raise MaskError(
                f"mask '{file}' has the value {int(values.max())}, and the classes are "
                f'1 to {len(self.classes)}: give the classes that the masks were drawn '
                'with, or another folder'
            )
        return values.astype(np.uint8)

    def revision(self, name: str) -> str:
        """A hash of the mask's file; empty if there is none."""
        try:
            content = self.mask_file(name).read_bytes()
        except FileNotFoundError:
            return ''
        return hashlib.sha256(content).hexdigest()[:16]

    def save(self, name: str, mask: np.ndarray, replace: bool = False) -> None:
        """Write the mask of an image.

        Args:
            name: The image.
            mask: uint8 {0, 1}, (H, W); class + 1 if there are classes.
            replace: Whether a mask of an earlier session may be replaced.

        Raises:
            FileExistsError: There is a mask of an earlier session, and ``replace`` is
                False.
        """
        file = self.mask_file(name)
        if self.has_earlier_mask(name) and not (replace or self.redo):
            raise FileExistsError(f"'{file}' is from an earlier session")
        write_png(
            file,
            mask if self.classes else mask * np.uint8(255),
            palette=bool(self.classes),
        )
        self._saved.add(name)
        self.done.add(name)
        self._set_skipped(self.skipped - {name})

    def skip(self, name: str) -> None:
        """Leave an image without a mask, also in the next session."""
        self._set_skipped(self.skipped | {name})

    def unskip(self, name: str) -> None:
        self._set_skipped(self.skipped - {name})

    def _set_skipped(self, names: set[str]) -> None:
        if names != self.skipped:
            self.skipped = names
            self.masks.mkdir(parents=True, exist_ok=True)
            atomic_write(
                self.masks / SKIPPED, ''.join(f'{_line_of(n)}\n' for n in sorted(names))
            )


def check_classes(classes: Sequence[str]) -> None:
    """Raise a ValueError if names of classes are not distinct, or more than 253."""
    if len(set(classes)) < len(classes) or len(classes) > MOST_CLASSES:
        raise ValueError(
            f'classes must be at most {MOST_CLASSES} different names, got '
            f'{list(classes)}'
        )


def _line_of(name: str) -> str:
    """The name, or its JSON string if it has line ends or bytes that are not UTF-8."""
    is_plain = printable(name) == name and not name.startswith('"')
    return name if is_plain else json.dumps(name)


def _name_of(line: str) -> str:
    if line.startswith('"'):
        with contextlib.suppress(ValueError):  # a name in a list of an older version
            return str(json.loads(line))
    return line
