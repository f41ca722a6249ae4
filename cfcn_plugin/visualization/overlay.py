"""Images with their masks, scaled for the screen."""

import cv2
import numpy as np

CAUSAL = np.array([255, 150, 0])


def screen_pixels(image: np.ndarray) -> np.ndarray:
    """The pixels that are shown of an image with any number and type of channels.

    One or two channels are shown in grey, by their mean. Of four or more channels the
    first three are shown. Values of another type than uint8 are scaled, the image's
    minimum to 0 and its maximum to 255.

    Args:
        image: (H, W) or (H, W, C), RGB first.

    Returns:
        (H, W, 3) uint8.
    """
    if image.ndim == 2:
        image = image[..., None]
    if image.shape[-1] < 3:
        image = image.mean(-1, keepdims=True).astype(image.dtype).repeat(3, -1)
    image = image[..., :3]
    if image.dtype == np.uint8:
        return image
    values = np.nan_to_num(image.astype(np.float64))
    low, high = values.min(), values.max()
    return (255 * (values - low) / max(high - low, 1e-12)).round().astype(np.uint8)


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
    return name if len(name) <= length else '…' + name[1 - length :]
