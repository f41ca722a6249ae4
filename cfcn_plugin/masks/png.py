"""Masks in a folder of image files, one mask file per image."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from .base import MaskRecord, class_record
from .errors import MaskError
from .folder import FolderMasks
from .io.image import read_image
from .io.palette import OPAQUE, TRANSPARENT, binary_values, values_or_transparent

HALF = 128


class PNGMasks(FolderMasks):
    """A folder of PNG (or other image) masks with the layout of the folder of images.

    The mask of ``<data_root>/<images>/a/b.jpg`` is ``<data_root>/<masks>/a/b.png``.
    Files have 1, 8 or 16 bits or a palette (the value is the index). Files with
    colour channels or transparency are read as grey if all their colours are grey. A
    transparent pixel has no value. Without ``causal``, a palette of black and white
    goes by its colours: white is causal, whichever index white has.

    Args:
        masks, images, data_root: As in :class:`.FolderMasks`.
        suffix: The end of a mask's name, such as ``'_mask.png'``, or a list.
        causal: The causal values, or colours as ``[r, g, b]``. ``'alpha'``: pixels that
            are at least half opaque are causal. None: the file must be binary, with
            values 0 and 1, or 0 and the maximum (255, or 65535 for 16 bits).
        ignore: Values or colours that mean "unknown".
        classes: A list with the class of each entry of ``causal``, for one mask per
            class. Entries of the same class are combined. None: one mask.
    """

    def __init__(
        self,
        masks: str,
        images: str = '',
        data_root: str = '',
        suffix: str | list[str] = '.png',
        causal: list[int] | list[list[int]] | str | None = None,
        ignore: Sequence[int] | Sequence[Sequence[int]] = (),
        classes: list[int] | None = None,
    ):
        super().__init__(masks, images, data_root, suffix)
        self.alpha = causal == 'alpha'
        named = () if causal is None or self.alpha else causal
        self.causal = colour_codes('causal', named) or None
        if self.causal is None and named is causal:
            raise ValueError('`causal` must name a value, got none')
        self.ignore = colour_codes('ignore', ignore)
        kinds = {isinstance(one, int) for one in (*named, *ignore)}
        if len(kinds) > 1:
            raise ValueError(
                '`causal` and `ignore` must be all values or all colours, '
                f'got {causal} and {list(ignore)}'
            )
        if set(self.causal or ()) & set(self.ignore):
            raise ValueError(
                f'`causal` {causal} and `ignore` {list(ignore)} share a value'
            )
        if not isinstance(classes, list | tuple | None) or any(
            type(label) is not int or label < 0 for label in classes or ()
        ):
            raise ValueError(
                f'`classes` must be labels, whole numbers from 0, got {classes!r}'
            )
        if classes is not None and len(named) != len(classes):
            raise ValueError(
                '`classes` must give a class for each of `causal`, got '
                f'{list(classes)} for {causal}'
            )
        self.colours = kinds == {False}
        self.classes = classes

    def read(self, file: Path, shape: tuple[int, int], results: dict) -> MaskRecord:
        return self.record(self.values(file, shape), file)

    def record(self, values: np.ndarray, file: Path) -> MaskRecord:
        """The mask record of a file's values."""
        ignore = select_values(values, self.ignore) if self.ignore else None
        if self.classes is not None:
            planes = {}
            for value, label in zip(self.causal, self.classes):
                planes[label] = planes.get(label, 0) | select_values(values, [value])
            return class_record(planes, values.shape, str(file), ignore)
        if self.causal is not None:
            mask = select_values(values, self.causal)
        else:
            mask = self._binary(values, ignore, file)
        return MaskRecord(mask, str(file), ignore=ignore)

    def values(self, file: Path, shape: tuple[int, int]) -> np.ndarray:
        """The file's stored values, (H, W); -1 where transparent.

        A colour is one number made of the four bytes of RGBA.
        """
        if self.alpha:
            alpha = read_image(file, shape, colours=True)[..., 3]
            if (alpha == OPAQUE).all():
                raise MaskError(
                    "opaque everywhere, and causal='alpha': expected a "
                    'transparent context; save it with its alpha channel'
                )
            return (alpha >= HALF).astype(np.uint8)
        if self.colours:
            pixels = read_image(file, shape, colours=True)
            self._visible(pixels)
            return pixels.view('<u4')[..., 0]
        values = read_image(
            file,
            shape,
            values=(
                values_or_transparent
                if self.causal is not None
                else partial(binary_values, ignore=self.ignore)
            ),
        )
        return values if values.ndim == 2 else self._grey(values)

    @staticmethod
    def _visible(pixels: np.ndarray) -> np.ndarray:
        alpha = pixels[..., -1]
        if not ((alpha == 0) | (alpha == OPAQUE)).all():
            raise MaskError(
                'half transparent pixels, expected none: save it without an alpha '
                "channel, or use causal='alpha' if the alpha channel is the mask"
            )
        return alpha == OPAQUE

    def _grey(self, pixels: np.ndarray) -> np.ndarray:
        has_alpha = pixels.shape[-1] in (2, 4)
        colour = pixels[..., :-1] if has_alpha else pixels
        if (colour != colour[..., :1]).any():
            shown = np.unique(colour.reshape(-1, 3), axis=0)
            some = ', '.join(str(one) for one in shown[:4].tolist())
            raise MaskError(
                f'colours, {some}{" ..." if len(shown) > 4 else ""}: '
                'name the causal colours with `causal=[[r, g, b], ...]`'
            )
        grey = colour[..., 0]
        if not has_alpha:
            return grey
        visible = self._visible(pixels)
        return (
            grey
            if visible.all()
            else np.where(visible, grey.astype(np.int16), TRANSPARENT)
        )

    def _binary(
        self, values: np.ndarray, ignore: np.ndarray | None, file: Path
    ) -> np.ndarray:
        if self.alpha or values.dtype == bool:
            return values.astype(np.uint8)
        known = values if ignore is None else np.where(ignore, 0, values)
        if known.dtype == np.uint8 and known.size:
            high = int(known.max())
            # no value is above the highest: all that are not 0 are the highest
            if high in (0, 1, 255) and cv2.sumElems(known)[0] == (
                high * cv2.countNonZero(known)
            ):
                return (known != 0).view(np.uint8)
        # Pillow opens some 16-bit files as int32; int16 is grey with transparency
        top = {'int32': 65535, 'uint16': 65535}.get(values.dtype.name, 255)
        mask = known > 0
        high = known.max(initial=0)
        # counting is ten times as fast as selecting the pixels
        if high not in (0, 1, top) or (
            high and np.count_nonzero(known == high) != np.count_nonzero(mask)
        ):
            found = sorted(set(np.unique(known).tolist()) - {TRANSPARENT})
            shown = ', '.join(map(str, found[:8]))
            lossy = file.suffix.lower() in ('.jpg', '.jpeg')
            raise MaskError(
                f'not binary: expected values 0 and 1, or 0 and {top}, got {shown}'
                f'{" ..." if len(found) > 8 else ""}; '
                + (
                    'a JPEG does not keep values, save it as PNG'
                    if lossy
                    else 'name the causal values with `causal=[...]`'
                )
            )
        return mask.view(np.uint8)


def colour_codes(name: str, given: Sequence) -> list[int]:
    """One number for each value or colour of an option.

    Raises:
        TypeError, ValueError: The option ``name`` has neither values nor colours.
    """
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f'`{name}` must be a list, got {given!r}')
    codes = []
    for one in given:
        colour = isinstance(one, Sequence) and not isinstance(one, str)
        parts = tuple(one) if colour else (one,)
        if len(parts) != (3 if colour else 1) or any(
            isinstance(p, bool)
            or not isinstance(p, int)
            or not 0 <= p <= (255 if colour else 65535)
            for p in parts
        ):
            raise ValueError(
                f'`{name}` must hold values (whole numbers from 0) or '
                f'colours ([r, g, b], 0 to 255), got {one!r}'
            )
        # a colour as the four bytes of an opaque RGBA pixel
        codes.append(int.from_bytes((*parts, OPAQUE), 'little') if colour else one)
    return codes


def select_values(values: np.ndarray, wanted: list[int]) -> np.ndarray:
    """A mask of the wanted values, uint8 {0, 1}.

    Programs save masks of 0 and 255 and masks of 0 and 1 as the same 1-bit file, so
    True in ``values`` matches both 255 and 1.
    """
    mask = np.zeros(values.shape, bool)
    if values.dtype == bool:
        values = np.where(values, np.uint8(1), np.uint8(0))
        wanted = [1 if one == 255 else one for one in wanted]
    for one in wanted:
        mask |= values == one
    return mask.view(np.uint8)
