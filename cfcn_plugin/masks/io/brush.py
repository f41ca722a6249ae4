"""The run lengths of Label Studio's brush.

The published decoder, ``label_studio_sdk.converter.brush``, comes with some forty
packages, among them another OpenCV that overwrites mmcv's, and allocates whatever
length a file claims. The format is @thi.ng/rle-pack's.
"""
from io import BytesIO

import numpy as np

from cfcn_plugin.masks.base import MaskError

CHANNELS = 4
HALF = 128


def decode_brush(data: bytes, shape: tuple[int, int]) -> np.ndarray:
    """A brush's mask: the pixels that are at least half opaque.

    A header (32 bits: how many values; 5: bits of a value less 1; four times 4: bits of
    a run's length less 1), then runs: 1 bit whether one value repeats, 2 bits which of
    the four lengths, the length less 1, and the value or values. Values are the bytes
    of an RGBA image, row by row.

    Args:
        data: The bytes that Label Studio writes as ``rle``.
        shape: (H, W).

    Returns:
        uint8 {0, 1}, (H, W).

    Raises:
        MaskError: The data is malformed, or of an image of another size.
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
