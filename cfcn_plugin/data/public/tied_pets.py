"""TiedPets: cats whose context tells the breed in training and not in tests."""

from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch

from cfcn_plugin.annotation.load_image import load_image
from cfcn_plugin.functional.compositing import without_object
from cfcn_plugin.masks.selection import guidance_rank
from cfcn_plugin.masks.trimap import TrimapMasks

from .new_dataset import write_dataset

BREEDS = ('Abyssinian', 'Bengal')
CONTEXTS = 'american_bulldog'  # the breed whose photographs give the contexts
PLACES = ('green', 'plain')  # place i belongs to breed i in training
TESTED, VALIDATED = 0.3, 0.15  # fractions of the photographs, chosen by a hash
SIDE = 224  # the short side, pixels
LEAST_CONTEXT = 0.3  # of a photograph that gives its context
LEAST_CHANGED = 0.2  # of a cat's photograph: the other context alone
GREEN_LEAST, PLAIN_MOST = 0.25, 0.01  # fraction of green pixels in the context
GREEN = ((30, 50, 0), (85, 255, 255))  # OpenCV's hue (of 180), saturation, value
MARGIN = 0.02  # of the box's longer side: own context around the cat
FADE = 0.06  # of the same: the transition to the other context
COLUMNS = ('label', 'split', 'place', 'x0', 'y0', 'x1', 'y1')


class Photograph(NamedTuple):
    """A photograph: pixels, uint8 (H, W, 3), and its animal, uint8 {0, 1}, (H, W)."""

    name: str
    image: np.ndarray
    mask: np.ndarray

    @property
    def split(self) -> str:
        rank = guidance_rank(self.name)
        if rank < TESTED:
            return 'test'
        return 'val' if rank < TESTED + VALIDATED else 'train'


def write_tied_pets(root: str | Path, pets: str | Path, seed: int = 0) -> Path:
    """Write images, masks (``masks/...``) and ``labels.csv`` (filename, label, split,
    place, x0, y0, x1, y1: the box around the mask, pixels).

    A cat keeps its own photograph up to a margin around its trimap (animal and
    border), so its edges are those of a photograph. Beyond, its context fades into
    that of a bulldog's photograph, whose dog is filled by :func:`.without_object`. A
    context is ``green`` (lawns, mostly) or ``plain`` (next to no green). In training
    every Abyssinian is on green and every Bengal on plain; in validation and test each
    cat is on both. The three splits share no photograph, of cats or contexts. A cat
    that leaves less than a fifth of its photograph to another context is left out.

    Args:
        root: Folder to make. It must not exist.
        pets: Oxford-IIIT Pets, with ``images`` and ``annotations/trimaps``.
        seed: Which cat is on which context.

    Raises:
        FileExistsError: The folder exists.
        FileNotFoundError: A breed has no photograph, or a photograph has no trimap.
        MaskError: A photograph or a trimap cannot be read.
        ValueError: A split has no cat of a breed, or no context of a kind.
    """
    pets, rng = Path(pets), np.random.default_rng(seed)
    contexts = _contexts(pets)

    def entries() -> Iterator[tuple]:
        for label, tied in zip(BREEDS, PLACES):
            for split, cats in _by_split(_cats(pets, label), label).items():
                for place in [tied] if split == 'train' else PLACES:
                    offered = contexts[place, split]
                    order = islice(cycle(rng.permutation(len(offered))), len(cats))
                    for cat, number in zip(cats, order):
                        name = f'{split}_{place}/{label}/{cat.name}.png'
                        left, top, width, height = cv2.boundingRect(cat.mask)
                        yield (
                            name,
                            change_context(cat, offered[number]),
                            {f'masks/{name}': cat.mask},
                            label,
                            split,
                            place,
                            left,
                            top,
                            left + width,
                            top + height,
                        )

    return write_dataset(root, COLUMNS, entries())


def change_context(cat: Photograph, context: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the photograph, fading into another context (any size)."""
    fade = changed(cat.mask)[..., None]
    mixed = (1 - fade) * cat.image + fade * _fit(context, *cat.mask.shape)
    return mixed.round().astype(np.uint8)


def changed(mask: np.ndarray) -> np.ndarray:
    """The fraction of the other context in each pixel, (H, W) in [0, 1]."""
    side = max(cv2.boundingRect(mask)[2:])
    away = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    fade = np.clip((away / side - MARGIN) / FADE, 0, 1)
    return fade * fade * (3 - 2 * fade)


def _contexts(pets: Path) -> dict[tuple[str, str], list[np.ndarray]]:
    """(place, split) -> contexts without their dogs, each uint8 (H, W, 3)."""
    found = {}
    for split, photographs in _by_split(_photographs(pets, CONTEXTS), CONTEXTS).items():
        for _, image, mask in photographs:
            place = _place(image, mask)
            if place:
                pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
                filled = without_object(pixels, torch.from_numpy(mask)[None] > 0)
                found.setdefault((place, split), []).append(
                    filled[0].permute(1, 2, 0).round().byte().numpy()
                )
        missing = [place for place in PLACES if (place, split) not in found]
        if missing:
            raise ValueError(
                f"'{pets}': no photograph of {CONTEXTS} for {split} has a "
                f'{missing[0]} context: is the data set whole?'
            )
    return found


def _place(image: np.ndarray, mask: np.ndarray) -> str | None:
    context = mask == 0
    if context.mean() < LEAST_CONTEXT:
        return None
    green = cv2.inRange(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), *GREEN)[context] > 0
    if green.mean() >= GREEN_LEAST:
        return 'green'
    return 'plain' if green.mean() <= PLAIN_MOST else None


def _by_split(
    photographs: Iterable[Photograph], breed: str
) -> dict[str, list[Photograph]]:
    found = dict(train=[], val=[], test=[])
    for photograph in photographs:
        found[photograph.split].append(photograph)
    for split, kept in found.items():
        if not kept:
            raise ValueError(
                f'no photograph of {breed} for {split} has an animal and '
                'enough context: is the data set whole?'
            )
    return found


def _cats(pets: Path, breed: str) -> Iterator[Photograph]:
    """Those whose context can be changed."""
    for cat in _photographs(pets, breed):
        if (changed(cat.mask) == 1).mean() >= LEAST_CHANGED:
            yield cat


def _photographs(pets: Path, breed: str) -> Iterator[Photograph]:
    """All of a breed with an animal in the trimap, reduced to ``SIDE``."""
    files = sorted((pets / 'images').glob(f'{breed}_*.jpg'))
    if not files:
        raise FileNotFoundError(
            f"'{pets}/images' has no '{breed}_*.jpg': give the "
            'folder of Oxford-IIIT Pets'
        )
    source = TrimapMasks(data_root=str(pets))
    for file in files:
        image = load_image(file)
        record = source(dict(img_path=str(file), ori_shape=image.shape[:2]))
        if record is None:
            raise FileNotFoundError(f"'{file}' has no trimap")
        if record.mask.any():
            height, width = image.shape[:2]
            scale = SIDE / min(height, width)
            size = round(width * scale), round(height * scale)
            yield Photograph(
                file.stem,
                cv2.resize(image, size, interpolation=cv2.INTER_AREA),
                cv2.resize(record.mask, size, interpolation=cv2.INTER_NEAREST),
            )


def _fit(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle of an image, as large as possible, at (height, width)."""
    scale = max(height / image.shape[0], width / image.shape[1])
    size = (
        max(width, round(image.shape[1] * scale)),
        max(height, round(image.shape[0] * scale)),
    )
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    return image[top : top + height, left : left + width]
