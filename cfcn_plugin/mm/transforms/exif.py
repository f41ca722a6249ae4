"""How the stored pixels of a photograph become the upright image."""
from PIL import Image

EXIF_ORIENTATION = 0x0112
# EXIF orientation: how the stored rows and columns become the upright image
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[..., :, ::-1],
    3: lambda a: a[..., ::-1, ::-1],
    4: lambda a: a[..., ::-1, :],
    5: lambda a: a.swapaxes(-1, -2),
    6: lambda a: a.swapaxes(-1, -2)[..., :, ::-1],
    7: lambda a: a.swapaxes(-1, -2)[..., ::-1, ::-1],
    8: lambda a: a.swapaxes(-1, -2)[..., ::-1, :],
}


def as_stored(results: dict) -> tuple[int, tuple[int, int] | None]:
    """An image file's EXIF orientation (1: upright), and its stored (H, W)."""
    if results.get('img_path') is None:
        return 1, None
    with Image.open(results['img_path']) as image:
        turn = image.getexif().get(EXIF_ORIENTATION, 1)
        return turn if turn in UPRIGHT else 1, image.size[::-1]
