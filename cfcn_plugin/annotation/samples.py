"""Images whose masks are made or checked, as a pipeline begins with them."""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mmcv
import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import TRANSFORMS
from PIL import Image

from cfcn_plugin.masks import MaskError, image_key
from cfcn_plugin.mm.datasets.wrappers import dataset_configs
from cfcn_plugin.mm.safe_loading import build_dataset
from cfcn_plugin.mm.transforms import LoadActivationMask

from .png_folder import images_in

EXIF_ORIENTATION = 0x0112


class FolderSamples(Sequence):
    """The images of a folder.

    Args:
        images: The folder.
        leave_out: A folder in it that is not looked at.
    """

    def __init__(self, images: str | Path, leave_out: str | Path | None = None):
        self.root = str(images)
        self.names = images_in(images, leave_out)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> dict:
        return dict(img_path=str(Path(self.root, self.names[index])))


class DatasetSamples(Sequence):
    """The images of a data set, before its pipeline.

    Args:
        dataset: A dataset of mmengine's kind.
        root: Folder that names are relative to.
    """

    def __init__(self, dataset, root: str):
        self.dataset = dataset
        self.root = root
        self.names = [image_key(self[i], root) for i in range(len(self))]

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict:
        return {'sample_idx': index, **self.dataset.get_data_info(index)}


@dataclass(frozen=True)
class Guided:
    """A data set of a config, with what loads its images and masks.

    Attributes:
        samples: Its images.
        config: Of the pipeline's LoadActivationMask.
        load: That transform.
        before: The transforms before it, which load the image.
        after: The configs of those after it.
        classes: Names of the classes, empty if it has none.
    """
    samples: DatasetSamples
    config: dict
    load: LoadActivationMask
    before: list
    after: list[dict]
    classes: tuple[str, ...]


def guided_datasets(cfg: Config, split: str = 'train') -> list[Guided]:
    """The data sets of a split, inside wrappers too, whose pipeline asks for masks.

    Raises:
        ValueError: The config has no such split, or no pipeline that asks for masks.
    """
    loader = cfg.get(f'{split}_dataloader')
    if loader is None:
        raise ValueError(f"config '{cfg.filename}' has no `{split}_dataloader`")
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    found = []
    for _, config in dataset_configs(loader.dataset):
        pipeline = config.get('pipeline') or []
        at = [i for i, t in enumerate(pipeline) if t['type'] == 'LoadActivationMask']
        if not at:
            continue
        load = TRANSFORMS.build(pipeline[at[0]])
        dataset = build_dataset({**config, 'pipeline': []})
        found.append(Guided(
            DatasetSamples(dataset, load.source.data_root), pipeline[at[0]], load,
            [TRANSFORMS.build(t) for t in pipeline[:at[0]]], pipeline[at[0] + 1:],
            tuple(dataset.metainfo.get('classes') or ())))
    if not found:
        raise ValueError(f"config '{cfg.filename}' has no LoadActivationMask in the "
                         f'pipeline of its `{split}_dataloader`')
    return found


def image_shape(sample: dict) -> tuple[int, int]:
    """(H, W) of a sample's image as mmcv loads it, mostly from the file's header.

    Raises:
        MaskError: The image cannot be read.
    """
    if sample.get('img_path') is None:
        return np.shape(sample['img'])[:2]
    path = sample['img_path']
    try:
        with Image.open(path) as opened:
            size, turn = opened.size, opened.getexif().get(EXIF_ORIENTATION, 1)
    except Exception as error:  # Pillow's plugins raise many kinds
        raise MaskError(f"image '{path}' cannot be read ({error})") from error
    if turn == 1:
        return size[::-1]
    # which files mmcv turns depends on its backend: ask it
    image = mmcv.imread(str(path))
    if image is None:
        raise MaskError(f"image '{path}' cannot be read: is it whole?")
    return image.shape[:2]
