"""An ImageFolder of images that are white where their mask is 1."""

import numpy as np
import torch
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from cfcn_plugin.data import MaskedDataset
from cfcn_plugin.masks import PNGMasks

TO_TENSOR = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
COUNT = 3  # images a class


def write(file, pixels, **more):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file, **more)


def blob(number, height=24, width=32):
    mask = np.zeros((height, width), np.uint8)
    mask[4:14, 6 + number : 18 + number] = 1
    return mask


def folder(root, transform=TO_TENSOR, **more):
    return ImageFolder(root / 'images', transform=transform, **more)


def source(root):
    return PNGMasks('masks', images='images', data_root=str(root))


def masked(root, dataset=None, missing='unguided', **more):
    dataset = folder(root) if dataset is None else dataset
    return MaskedDataset(dataset, source(root), missing=missing, **more)


def is_true(sample):
    """Whether the image of a sample is white where its mask is 1."""
    image, mask = sample[0], sample[-1]['activation_mask']
    return np.array_equal(np.asarray(image[0]) > 0.5, mask == 1)
