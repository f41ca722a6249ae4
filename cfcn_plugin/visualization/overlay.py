"""Pictures and names, made fit to be shown with a mask."""
import cv2
import numpy as np

CAUSAL = np.array([255, 150, 0])


def fitted(picture: np.ndarray, longest: int) -> np.ndarray:
    """A picture for the screen: scaled down by area, or up by a whole number.

    Args:
        picture: (H, W, 3) uint8.
        longest: Longest side of the result at most, in pixels.
    """
    scale = longest / max(picture.shape)
    if scale >= 1:
        return picture.repeat(int(scale), 0).repeat(int(scale), 1)
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def tinted(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A picture with its causal region tinted and outlined.

    Args:
        picture: (h, w, 3) uint8, RGB.
        mask: (H, W) {0, 1}, of any size with the picture's proportions.

    Returns:
        (h, w, 3) uint8.
    """
    height, width = picture.shape[:2]
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    shown = picture.copy()
    inside = small.astype(bool)
    shown[inside] = (0.65 * picture[inside] + 0.35 * CAUSAL).astype(np.uint8)
    near = np.ones((3, 3), np.uint8)
    # two lines, bright and dark: one of them shows on any picture
    shown[(small - cv2.erode(small, near)).astype(bool)] = CAUSAL
    shown[(cv2.dilate(small, near) - small).astype(bool)] = 0
    return shown


def shortened(name: str, length: int) -> str:
    """The end of a name, which tells more than its beginning."""
    return name if len(name) <= length else '…' + name[1 - length:]
