"""What a viewer shows for the values of an image file: palettes and transparency."""

from collections.abc import Collection

import numpy as np
from PIL import Image

from cfcn_plugin.masks.errors import MaskError

OPAQUE = 255
TRANSPARENT = -1  # the value of a transparent pixel
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def shown_values(image: Image.Image) -> np.ndarray:
    """The colours that a viewer shows, for readers of grey masks.

    Returns:
        Of a palette: uint8, (H, W) if all shown colours are grey and opaque, else RGBA
        (H, W, 4). Other files as stored.
    """
    if image.mode != 'P':
        return np.array(image)
    pixels = np.array(image.convert('RGBA'))
    grey = (pixels[..., :3] == pixels[..., :1]).all() and (
        pixels[..., 3] == OPAQUE
    ).all()
    return pixels[..., 0] if grey else pixels


def values_or_transparent(image: Image.Image) -> np.ndarray:
    """The stored values; -1, int16 or int32, where the file's tRNS makes them clear.

    The values of a palette are its indices, also of transparent colours. Colours
    (H, W, 3) become RGBA (H, W, 4) if some are transparent.
    """
    values, clear = np.array(image), image.info.get('transparency')
    if clear is None or image.mode not in ('1', 'L', 'I;16', 'RGB'):
        return values
    if image.mode == '1':
        if clear and values.any():
            raise MaskError('white is transparent: save it without transparency')
        return values
    if image.mode == 'RGB':
        hidden = (values == np.asarray(clear)).all(-1)
        alpha = np.where(hidden, 0, OPAQUE).astype(np.uint8)
        return np.dstack([values, alpha]) if hidden.any() else values
    hidden = values == clear
    if not hidden.any():
        return values
    signed = np.int32 if image.mode == 'I;16' else np.int16
    return np.where(hidden, signed(TRANSPARENT), values.astype(signed))


def binary_values(image: Image.Image, ignore: Collection[int] = ()) -> np.ndarray:
    """The values of a binary mask, with 0 where a viewer shows black.

    A palette of black and white goes by its colours. Another palette goes by its
    indices, where 0 is context.

    Args:
        image: The opened file.
        ignore: Palette indices that are neither cause nor context.

    Raises:
        MaskError: The colours of a palette contradict its indices: index 0 is brighter
            than the other index, or the other index is transparent.
    """
    values = values_or_transparent(image)
    if image.mode != 'P':
        return values
    counts = image.histogram()
    used = [i for i, count in enumerate(counts) if count and i not in ignore]
    if 0 in ignore or not used or len(used) > 2 or (len(used) == 2 and used[0] != 0):
        return values  # there is no context of index 0 to compare
    colours = _palette(image)
    if _is_white_first(colours, used):
        other = used[-1] or next(i for i in (1, OPAQUE) if i not in ignore)
        swap = np.arange(256, dtype=np.uint8)
        swap[[0, other]] = other, 0
        return swap[values]
    return values


def _palette(image: Image.Image) -> list[tuple[int, ...]]:
    """RGBA of each index; black beyond the file's palette."""
    image.apply_transparency()
    flat = image.getpalette('RGBA') or []
    known = [tuple(flat[i : i + 4]) for i in range(0, len(flat), 4)]
    return known + [(*BLACK, OPAQUE)] * (256 - len(known))


def _is_white_first(colours: list[tuple[int, ...]], used: list[int]) -> bool:
    """Whether the colours of a binary mask are black and white, and 0 is white."""
    whole = {colour[:3] for colour in colours}
    shown = {i: colours[i][:3] for i in used if colours[i][3]}
    first, last = used[0], used[-1]
    if last and last not in shown:
        raise _contradiction(f'{last} is transparent')
    if set(shown.values()) == {BLACK, WHITE}:
        return shown[0] == WHITE
    if len(shown) == 2 and _luma(shown[0]) > _luma(shown[last]):
        raise _contradiction(
            f'0 {list(shown[0])} is brighter than {last} {list(shown[last])}'
        )
    if len(used) == 2 or not shown or len(whole) == 1:
        return False
    if whole == {BLACK, WHITE}:
        return (shown[first] == WHITE) == (first == 0)
    if shown[first] == (BLACK if first else WHITE):
        raise _contradiction(f'{first} is {"black" if first else "white"}')
    return False


def _contradiction(found: str) -> MaskError:
    return MaskError(
        f'palette index {found}, and index 0 is read as context: name the '
        'causal indices with `causal=[...]`, or save it as a grey PNG'
    )


def _luma(colour: tuple[int, ...]) -> int:
    """Brightness of RGB, as Pillow converts it to grey."""
    return 299 * colour[0] + 587 * colour[1] + 114 * colour[2]
