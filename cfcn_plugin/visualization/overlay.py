"""Images with their masks, scaled for the screen."""
import cv2
import numpy as np

CAUSAL = np.array([255, 150, 0])


def scale_to_fit(image: np.ndarray, longest: int) -> np.ndarray:
    """Scale an image for display: down by area averaging, or up by a whole number.

    Args:
        image: (H, W, 3) uint8.
        longest: Maximum length of the longer side, in pixels.
    """
    scale = longest / max(image.shape)
    if scale >= 1:
        return image.repeat(int(scale), 0).repeat(int(scale), 1)
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def overlay_mask(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Tint and outline the causal region of an image.

    Args:
        image: (h, w, 3) uint8, RGB.
        mask: (H, W) {0, 1}, of any size with the image's aspect ratio.

    Returns:
        (h, w, 3) uint8.
    """
    height, width = image.shape[:2]
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    shown = image.copy()
    inside = small.astype(bool)
    shown[inside] = (0.65 * image[inside] + 0.35 * CAUSAL).astype(np.uint8)
    near = np.ones((3, 3), np.uint8)
    # a bright and a dark line: one of the lines is visible on any image
    shown[(small - cv2.erode(small, near)).astype(bool)] = CAUSAL
    shown[(cv2.dilate(small, near) - small).astype(bool)] = 0
    return shown


def shorten_name(name: str, length: int) -> str:
    """Shorten a name to ``length`` characters by removing its beginning."""
    return name if len(name) <= length else '…' + name[1 - length:]
