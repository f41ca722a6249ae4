"""Regions of Label Studio's annotations: brushes, polygons, rectangles."""
from contextlib import suppress
from io import BytesIO

import numpy as np

from cfcn_plugin.masks.base import MaskError, at, check_size, expect, is_list_of

from .numbers import are_numbers, is_whole, read_number
from .scale import PERCENT_EDGE, check_percent
from .shapes import check_inside, fill_polygon, read_points

CHANNELS = 4
HALF = 128
TURNED_EDGE = 100  # percent that a turned rectangle may leave the image
BARE = ('brush', 'polygon', 'rectangle')  # drawn without a label


def read_regions(results) -> list[dict]:
    """The regions in the ``result`` of an annotation, in a compact form.

    Returns:
        Dicts of ``labels`` ('' for a region without a label), ``size`` (H, W),
        ``place`` in the task, and either ``rle``, bytes, or ``points``, the bytes of
        (N, 2) float64 in percent, and ``turn`` in degrees. marshal can write them.

    Raises:
        MaskError: A region is not in Label Studio's format, or cannot be drawn.
    """
    expect(is_list_of(dict, results), 'a list `result` of objects', results)
    named = {str(one.get('id')) for one in results if _kind(one).endswith('labels')}
    regions = []
    for number, one in enumerate(results):
        kind, value = _kind(one), one.get('value')
        bare = kind in BARE and str(one.get('id')) not in named
        if not isinstance(value, dict) or not (bare or kind.endswith('labels')):
            continue  # a choice, text, relation, or the unlabelled copy of a region
        with at(f'result {number}'):
            labels = [''] if bare else value.get(kind)
            expect(is_list_of(str, labels) and labels, f'a label in `{kind}`', labels)
            size = one.get('original_height'), one.get('original_width')
            expect(all(is_whole(n, 1) for n in size),
                   'original_height and original_width in pixels', size)
            if one.get('image_rotation'):
                raise MaskError(
                    f'the image was turned by {one["image_rotation"]} degrees for '
                    'drawing, but not in its file: turn it back in Label Studio, or '
                    'turn the file')
            regions.append(dict(labels=labels, size=size, place=f'result {number}',
                                **_geometry(value)))
    return regions


def pack_brush(entry: dict) -> dict:
    """Convert the brush of a JSON object to bytes.

    This is called during reading: Python objects of all numbers would fill the memory.
    """
    if isinstance(entry.get('rle'), list) and are_numbers(entry['rle'], int):
        with suppress(TypeError, ValueError):  # read_regions names a wrong value
            entry['rle'] = bytes(entry['rle'])
    return entry


def _kind(result: dict) -> str:
    return str(result.get('type'))


def _geometry(value: dict) -> dict:
    """The brush's bytes, or a polygon's points in percent."""
    if 'rle' in value:
        try:  # bytes(n) of a number would give n zeros
            given = [*value['rle']]
            if not are_numbers(given, int):
                raise TypeError('some are no whole numbers')
            return dict(rle=bytes(given))
        except (TypeError, ValueError) as error:
            raise MaskError(f'expected a list of bytes as `rle` ({error})') from error
    if 'points' in value:
        return dict(points=read_points(value['points'], 3).tobytes(), turn=0.)
    box = [value.get(field) for field in ('x', 'y', 'width', 'height')]
    if None in box:
        raise MaskError(
            'expected a brush (`rle`), a polygon (`points`) or a rectangle '
            f'(`x`, `y`, `width`, `height`), got {sorted(value)}')
    try:
        x, y, width, height = map(read_number, box)
        turn = read_number(value.get('rotation') or 0)
    except ValueError as error:
        raise MaskError(f'`x`, `y`, `width`, `height` or `rotation`: {error}') from None
    if not (width > 0 and height > 0):
        raise MaskError(f'rectangle of width {width} and height {height}, turned by '
                        f'{turn}, has no inside')
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    return dict(points=read_points(corners, 4).tobytes(), turn=turn)


def draw_regions(regions: list[dict], shape: tuple[int, int]) -> np.ndarray:
    """The union of regions of :func:`read_regions`, uint8 {0, 1}, (H, W).

    Raises:
        MaskError: A region has another image size, or is outside the image.
    """
    mask = np.zeros(shape, np.uint8)
    for region in regions:
        with at(region['place']):
            mask |= _draw(region, shape)
    return mask


def _draw(region: dict, shape: tuple[int, int]) -> np.ndarray:
    check_size(region['size'], shape)
    if 'rle' in region:
        return decode_brush(region['rle'], shape)
    points = np.frombuffer(region['points']).reshape(-1, 2) / 100 * shape[::-1]
    turn = np.deg2rad(region['turn'])  # clockwise about the first corner, in pixels
    turned = (points - points[0]) @ np.array(
        [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = turned + points[0]
    check_inside(points, 0, shape)
    percent = points / shape[::-1] * 100
    check_percent(percent.ravel().tolist(), TURNED_EDGE if turn else PERCENT_EDGE)
    return fill_polygon(points, shape)


def decode_brush(data: bytes, shape: tuple[int, int]) -> np.ndarray:
    """A brush's mask: the pixels that are at least half opaque.

    The format is @thi.ng/rle-pack's. The published decoder,
    ``label_studio_sdk.converter.brush``, requires about forty packages, including an
    OpenCV that overwrites mmcv's, and does not limit the memory that a file can claim.

    The header has the number of values (32 bits), the bits per value minus 1 (5 bits),
    and four bit widths of run lengths, each minus 1 (4 bits each). Each run has a flag
    for a repeated value (1 bit), the index of its bit width (2 bits), its length minus
    1, and one value or all values. Values are the bytes of an RGBA image, row by row.

    Args:
        data: The bytes that Label Studio writes as ``rle``.
        shape: (H, W).

    Returns:
        uint8 {0, 1}, (H, W).

    Raises:
        MaskError: The data is malformed, or has another image size.
    """
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    stream = BytesIO((bits + ord('0')).tobytes())

    def take(count: int) -> int:
        text = stream.read(count)
        if len(text) < count:
            raise ValueError(f'data ends at bit {len(bits)}')
        return int(text, 2)

    try:
        count, size = take(32), take(5) + 1
        lengths = [take(4) + 1 for _ in range(4)]
        if count != shape[0] * shape[1] * CHANNELS or size > 8:
            raise MaskError(
                f'the brush has {count} values of {size} bits, expected '
                f'{CHANNELS} of 8 for each of {shape[1]} x {shape[0]} pixels')
        values = np.zeros(count, np.uint8)
        done = 0
        while done < count:
            repeats = take(1)
            end = done + 1 + take(lengths[take(2)])
            if end > count:
                raise ValueError(f'a run ends at {end} of {count} values')
            values[done:end] = take(size) if repeats else [
                take(size) for _ in range(end - done)]
            done = end
    except MaskError:
        raise
    except ValueError as error:
        raise MaskError(f'malformed run lengths of a brush ({error}): export again '
                        'from Label Studio') from error
    return (values.reshape(*shape, CHANNELS)[..., 3] >= HALF).astype(np.uint8)
