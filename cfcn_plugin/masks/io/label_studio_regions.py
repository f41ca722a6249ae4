"""Regions of Label Studio's annotations: brushes, polygons, rectangles, ellipses."""

from contextlib import suppress
from io import BytesIO

import numpy as np

from cfcn_plugin.masks.errors import MaskError, at, check_size, expect, is_list_of

from .numbers import are_numbers, is_whole, read_number
from .scale import PERCENT_EDGE, check_percent
from .shapes import check_inside, draw_ellipse, fill_polygon, read_points, turn_points

CHANNELS = 4
HALF = 128
TURNED_EDGE = 100  # percent that a turned rectangle or an ellipse may leave the image
BARE = ('brush', 'polygon', 'rectangle', 'ellipse', 'bitmask')  # without a label
KEY_POINT = 'keypoint'


def find_areas(results) -> tuple[dict[int, dict], int]:
    """The results of an annotation that draw an area.

    Choices, texts, relations, spans of text or sound, and key points draw none.

    Args:
        results: ``result`` of the annotation.

    Returns:
        Number of each result in the list -> the result; and the count of key points.

    Raises:
        MaskError: ``results`` is not a list of objects.
    """
    expect(is_list_of(dict, results), 'a list `result` of objects', results)
    named = {str(one.get('id')) for one in results if _kind(one).endswith('labels')}
    points = {str(one.get('id')) for one in results if _kind(one) == KEY_POINT}
    areas, key_points = {}, 0
    for number, one in enumerate(results):
        kind, value, name = _kind(one), one.get('value'), str(one.get('id'))
        if not isinstance(value, dict):
            continue
        if (
            kind == f'{KEY_POINT}labels'
            or (kind == 'labels' and name in points)
            or (kind == KEY_POINT and name not in named)
        ):
            key_points += 1
        elif (kind.endswith('labels') and not {'start', 'end'} <= set(value)) or (
            kind in BARE and name not in named
        ):
            areas[number] = one
    return areas, key_points


def read_labels(result: dict) -> list[str]:
    """Labels of an area; ``['']`` for an area without a label.

    Raises:
        MaskError: The labels are not a list of texts.
    """
    kind = _kind(result)
    labels = [''] if kind in BARE else result['value'].get(kind)
    expect(is_list_of(str, labels) and labels, f'a label in `{kind}`', labels)
    return labels


def read_region(result: dict) -> dict:
    """The geometry of an area in a compact form, which marshal can write.

    Returns:
        ``size`` (H, W), and either ``rle``, bytes; or ``points``, the bytes of (N, 2)
        float64 in percent, and ``turn`` in degrees; or ``ellipse``, the centre and the
        radii in percent, and ``turn``.

    Raises:
        MaskError: The area is not in Label Studio's format, or cannot be drawn.
    """
    size = result.get('original_height'), result.get('original_width')
    expect(
        all(is_whole(n, 1) for n in size),
        'original_height and original_width in pixels',
        size,
    )
    if result.get('image_rotation'):
        raise MaskError(
            f'the image was turned by {result["image_rotation"]} degrees for drawing, '
            'but not in its file: turn it back in Label Studio, or turn the file'
        )
    return dict(size=size, **_geometry(result['value']))


def pack_brush(entry: dict) -> dict:
    """Convert the brush of a JSON object to bytes.

    This is called during reading: Python objects of all numbers would fill the memory.
    """
    if isinstance(entry.get('rle'), list) and are_numbers(entry['rle'], int):
        with suppress(TypeError, ValueError):  # read_region names a wrong value
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
        return dict(points=read_points(value['points'], 3).tobytes(), turn=0.0)
    names = (
        'x',
        'y',
        *(('radiusX', 'radiusY') if 'radiusX' in value else ('width', 'height')),
    )
    given = [value.get(name) for name in names]
    if None in given:
        raise MaskError(
            'expected a brush (`rle`), a polygon (`points`), a rectangle (`x`, `y`, '
            '`width`, `height`) or an ellipse (`x`, `y`, `radiusX`, `radiusY`), got '
            f'{sorted(value)}'
        )
    try:
        x, y, width, height = map(read_number, given)
        turn = read_number(value.get('rotation') or 0)
    except ValueError as error:
        raise MaskError(f'{names} or `rotation`: {error}') from None
    if not (width > 0 and height > 0):
        raise MaskError(
            f'{names[2]} {width} and {names[3]} {height}, turned by '
            f'{turn}, have no inside'
        )
    if 'radiusX' in value:
        read_points([(x, y), (width, height)], 2)  # not too far
        return dict(ellipse=(x, y, width, height), turn=turn)
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    return dict(points=read_points(corners, 4).tobytes(), turn=turn)


def draw_regions(regions: list[tuple[str, dict]], shape: tuple[int, int]) -> np.ndarray:
    """The union of (place, region of :func:`read_region`), uint8 {0, 1}, (H, W).

    Raises:
        MaskError: A region has another image size, or is outside the image.
    """
    mask = np.zeros(shape, np.uint8)
    for place, region in regions:
        with at(place):
            mask |= _draw(region, shape)
    return mask


def _draw(region: dict, shape: tuple[int, int]) -> np.ndarray:
    check_size(region['size'], shape)
    if 'rle' in region:
        return decode_brush(region['rle'], shape)
    scale = np.array(shape[::-1]) / 100
    if 'ellipse' in region:
        check_percent(region['ellipse'], TURNED_EDGE)
        centre, radii = (np.array(region['ellipse']).reshape(2, 2) * scale).tolist()
        return draw_ellipse(centre, radii, region['turn'], shape)
    points = np.frombuffer(region['points']).reshape(-1, 2) * scale
    points = turn_points(points, region['turn'], points[0])  # in pixels
    check_inside(points, 0, shape)
    percent = points / shape[::-1] * 100
    edge = TURNED_EDGE if region['turn'] else PERCENT_EDGE
    check_percent(percent.ravel().tolist(), edge)
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
                f'{CHANNELS} of 8 for each of {shape[1]} x {shape[0]} pixels'
            )
        values = np.zeros(count, np.uint8)
        done = 0
        while done < count:
            repeats = take(1)
            end = done + 1 + take(lengths[take(2)])
            if end > count:
                raise ValueError(f'a run ends at {end} of {count} values')
            values[done:end] = (
                take(size) if repeats else [take(size) for _ in range(end - done)]
            )
            done = end
    except MaskError:
        raise
    except ValueError as error:
        raise MaskError(
            f'malformed run lengths of a brush ({error}): export again '
            'from Label Studio'
        ) from error
    return (values.reshape(*shape, CHANNELS)[..., 3] >= HALF).astype(np.uint8)
