"""The time of a torch data set with masks over the same data set without masks.

As :mod:`.masks`, with torchvision's transforms v2 and :class:`MaskedDataset`.
"""

import random
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import cv2
import torch
from torch.utils.data import Dataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from cfcn_plugin import MaskedDataset
from cfcn_plugin.masks import BoxMasks, COCOMasks, PNGMasks

from .masks import AIM, FIRST_TIME, SHORT, make_data
from .pairs import Line, Turn, ratio_of

END = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
TRANSFORMS = {
    SHORT: [v2.RandomResizedCrop(224), v2.RandomHorizontalFlip()],
    'crop, flip, RandAugment': [
        v2.RandomResizedCrop(224),
        v2.RandomHorizontalFlip(),
        v2.RandAugment(),
    ],
}
SOURCES = {
    'PNG, 1 bit': lambda root: PNGMasks('one_bit', 'images', root),
    'PNG, 8 bits': lambda root: PNGMasks('masks', 'images', root),
    'boxes': lambda root: BoxMasks('boxes.csv', root),
    'COCO RLE': lambda root: COCOMasks('coco.json', root),
}


def torch_masks(pairs: int, device: str = 'cpu', tiny: bool = False) -> Iterator[Line]:
    """Data sets with each kind of mask, every image guided, on the CPU."""
    images = 2 if tiny else 24
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as root:
        make_data(Path(root), images)
        for name, steps in TRANSFORMS.items():
            plain = ImageFolder(
                root,
                v2.Compose([*steps, *END]),
                allow_empty=True,
                is_valid_file=lambda file: file.endswith('.jpg'),
            )
            for source, make in SOURCES.items():
                masked = MaskedDataset(plain, make(root))
                for first_time in [False, True][: 1 + (name == SHORT)]:
                    ratio, took = ratio_of(turn(masked, first_time), turn(plain), pairs)
                    yield Line(
                        f'torch data set with masks over without: {name}; {source}'
                        f'{FIRST_TIME * first_time}',
                        ratio,
                        None if first_time else AIM,
                        f'{1000 * took / images:.2f} ms an image',
                    )


def turn(dataset: Dataset, first_time: bool = False) -> Turn:
    """A block of all images, with the same random draws for both of a pair.

    With ``first_time`` no mask is in memory, as in a new process.
    """

    def make(pair: int) -> tuple[Dataset, int]:
        return deepcopy(dataset) if first_time else dataset, pair

    def run(given: tuple[Dataset, int]) -> None:
        used, pair = given
        random.seed(pair)
        torch.manual_seed(pair)
        for i in range(len(used)):
            used[i]

    return Turn(run, make)
