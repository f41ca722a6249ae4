"""Reading the PNG files that most masks are: grey of 1 or 8 bits, nothing else."""

import zlib
from pathlib import Path

import cv2
import numpy as np

SIGNATURE = b'\x89PNG\r\n\x1a\n'
LEAST = len(SIGNATURE) + 25  # bytes with the first chunk, IHDR
GREY, DEPTHS = 0, (1, 8)
# chunks that change no pixel; another chunk needs a look at what it means
NEEDED = (b'IHDR', b'IDAT', b'IEND')
WITHOUT_EFFECT = (b'pHYs', b'tEXt', b'tIME')


def read_plain_png(file: str | Path, shape: tuple[int, int]) -> np.ndarray | None:
    """The pixels of a plain grey PNG file by OpenCV, half as long as by Pillow.

    Args:
        file: The path.
        shape: (H, W) that the file must have.

    Returns:
        (H, W), bool for 1 bit, uint8 for 8 bits, as Pillow gives them; None if the file
        is not such a file, is damaged, or has another size.
    """
    try:
        data = Path(file).read_bytes()
    except OSError:
        return None
    depth = _depth(data, shape)
    if depth is None:
        return None
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.shape != tuple(shape) or pixels.dtype != np.uint8:
        return None
    return pixels != 0 if depth == 1 else pixels


def _depth(data: bytes, shape: tuple[int, int]) -> int | None:
    """The bits of a pixel, after a check of all chunks; None if one is not plain."""
    if len(data) < LEAST or not data.startswith(SIGNATURE) or data[12:16] != b'IHDR':
        return None
    width, height = (int.from_bytes(data[at : at + 4], 'big') for at in (16, 20))
    depth, kind = data[24:26]
    if (height, width) != tuple(shape) or kind != GREY or depth not in DEPTHS:
        return None
    place, chunk = len(SIGNATURE), b''
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4], 'big')
        chunk = data[place + 4 : place + 8]
        if chunk not in NEEDED and chunk not in WITHOUT_EFFECT:
            return None
        if zlib.crc32(data[place + 4 : end]) != int.from_bytes(
            data[end : end + 4], 'big'
        ):
            return None
        place = end + 4
    return depth if chunk == b'IEND' and place == len(data) else None
