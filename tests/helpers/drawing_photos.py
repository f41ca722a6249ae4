"""The photographs that the tests of the drawing page draw on."""

import cv2
import numpy as np
from PIL import Image

CIRCLE = (150, 90, 55)  # x, y, radius of the object in `photograph`


def photograph(height=200, width=300, seed=0):
    """A red disc on green noise, in parts of the image's size."""
    rng = np.random.default_rng(seed)
    small = rng.integers((40, 120, 40), (100, 180, 100), (20, 30, 3)).astype(np.uint8)
    image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    image[disc(height, width) > 0] = 200, 40, 30
    return image


def disc(height=200, width=300):
    y, x = np.ogrid[:height, :width]
    scale = width / 300
    cx, cy, radius = (scale * value for value in CIRCLE)
    return (np.hypot(x + 0.5 - cx, y + 0.5 - cy) <= radius).astype(np.uint8)


def iou(one, other):
    return ((one > 0) & (other > 0)).sum() / ((one > 0) | (other > 0)).sum()


def saved(file):
    return np.array(Image.open(file))
