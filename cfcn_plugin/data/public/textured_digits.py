"""TexturedDigits: real digits on real textures, tied in training, untied in tests."""

from pathlib import Path

import numpy as np
from PIL import Image

from .new_dataset import write_dataset

DIGITS = (0, 1, 2)
TEXTURES = ('grass', 'gravel', 'brick')  # texture i belongs to digit i in training
TRAIN_DIGITS = 120  # of some 178 a class; the two tests share the others
TEST_DIGITS = 54
# (split, whether the texture tells the class, images a class)
PARTS = (
    ('train', 'tied', TRAIN_DIGITS),
    ('test', 'tied', TEST_DIGITS),
    ('test', 'untied', TEST_DIGITS),
)
SIZE = 40
DIGIT_SIZE = 20  # the 8x8 digits, upscaled


def write_textured_digits(root: str | Path, seed: int = 0) -> Path:
    """Write images, masks (``masks/...``) and ``labels.csv`` (filename, label, split,
    background: tied or untied).

    Handwritten digits are scikit-learn's (UCI, 8x8), textures scikit-image's grass,
    gravel and brick. Training and test take disjoint digits and disjoint halves of
    each texture; the tied and the untied test show the same digits. Untied, each
    class is on every texture equally often. The mask is the digit's strokes, exact.

    Args:
        root: Folder to make. It must not exist.
        seed: Which digits, patches and places are drawn.

    Raises:
        FileExistsError: The folder exists.
        ImportError: scikit-learn or scikit-image is missing.
    """
    digits, textures = _load_sources()
    rng = np.random.default_rng(seed)
    half = {
        name: np.array_split(t, [t.shape[1] // 2], 1) for name, t in textures.items()
    }
    order = {digit: rng.permutation(len(digits[digit])) for digit in DIGITS}

    def entries():
        for split, background, count in PARTS:
            for index, digit in enumerate(DIGITS):
                for number in range(count):
                    tied = index if background == 'tied' else number % len(TEXTURES)
                    patch = _patch(half[TEXTURES[tied]][split != 'train'], rng)
                    which = order[digit][number + (split != 'train') * TRAIN_DIGITS]
                    image, mask = _paste(digits[digit][which], patch, rng)
                    name = f'{split}_{background}/{digit}/{number:03d}.png'
                    yield name, image, {f'masks/{name}': mask}, digit, split, background

    return write_dataset(root, ('label', 'split', 'background'), entries())


def _load_sources() -> tuple[dict, dict]:
    try:
        from skimage import data
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            "TexturedDigits is made of scikit-learn's digits and scikit-image's "
            "textures: `pip install 'cfcn_plugin[demo]'`"
        ) from error
    source = load_digits()
    digits = {d: source.images[source.target == d] for d in DIGITS}
    return digits, {name: getattr(data, name)() for name in TEXTURES}


def _patch(texture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    top, left = (rng.integers(0, length - SIZE) for length in texture.shape)
    return texture[top : top + SIZE, left : left + SIZE]


def _paste(
    digit: np.ndarray, patch: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The digit in white on the patch, and its mask."""
    strokes = Image.fromarray((digit * (255 / 16)).astype(np.uint8)).resize(
        (DIGIT_SIZE, DIGIT_SIZE), Image.Resampling.BICUBIC
    )
    alpha = np.zeros((SIZE, SIZE))
    top, left = rng.integers(0, SIZE - DIGIT_SIZE + 1, 2)
    alpha[top : top + DIGIT_SIZE, left : left + DIGIT_SIZE] = np.asarray(strokes) / 255
    image = (1 - alpha) * patch + alpha * 255
    mask = (alpha > 0.25).astype(np.uint8)
    return image.round().astype(np.uint8)[..., None].repeat(3, -1), mask
