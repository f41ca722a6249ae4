"""The choice of a cell's training images and masks: nested subsets by one hash."""

import json
from functools import lru_cache
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmpretrain.registry import TASK_UTILS
from torch.utils.data import Dataset

from cfcn_plugin.masks import choose_guided, format_guided_list, image_key
from cfcn_plugin.mm.annotation_files import build_dataset
from cfcn_plugin.mm.datasets.wrappers import dataset_configs


def training_images(cfg: Config) -> list[tuple[str, int]]:
    """(key, label) of each training image, keys as LoadActivationMask makes them."""
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    config = _unwrap_dataset(cfg.train_dataloader.dataset)
    loads = _loads(config)
    owner = loads[0]['source'] if loads else config
    return list(
        _images(
            json.dumps({**config, 'pipeline': []}, default=str),
            owner.get('data_root', ''),
        )
    )


def training_dataset(cfg: Config, pipeline: list[dict]) -> Dataset:
    """The training images in the same order, with another pipeline."""
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    config = _unwrap_dataset(cfg.train_dataloader.dataset)
    return build_dataset({**config, 'pipeline': pipeline})


def choose_images(cfg: Config, size: int, seed: int) -> None:
    """Keep ``size`` training images of a config, chosen by :func:`choose_guided`.

    With the same seed, a smaller choice is a subset of a larger choice.

    Args:
        cfg: Changed in place: ``indices`` of the training data set.
        size: Number of images.
        seed: Seed of the choice.

    Raises:
        ValueError: The training data set has ``indices`` already, or wraps several
            data sets.
    """
    config = _unwrap_dataset(cfg.train_dataloader.dataset)
    if config.get('indices') is not None:
        raise ValueError(
            'the training data set has `indices` of its own: remove '
            '`indices` from the config, or the axis `size` from the grid'
        )
    images = training_images(cfg)
    chosen = set(choose_guided(images, size, seed))
    config.indices = [i for i, (key, _) in enumerate(images) if key in chosen]


def choose_masks(cfg: Config, masks: int | str, seed: int, file: Path) -> None:
    """Guide only some training images of a config, chosen by the same hash.

    Only images with a mask are chosen, so that the number of guided images is exact. A
    smaller choice is a subset of a larger choice, for any size. ``'100%'`` chooses all
    images with a mask.

    Args:
        cfg: Changed in place: ``image_list`` or ``fraction`` of the training
            pipeline's LoadActivationMask.
        masks: A number, or a fraction of all training images such as ``'5%'``.
        seed: Seed of the choice.
        file: Output file for the list of guided images.

    Raises:
        ValueError: There are fewer masks than requested, or no transform loads masks.
    """
    loads = _loads(_unwrap_dataset(cfg.train_dataloader.dataset))
    if not loads:
        raise ValueError(
            'the training pipeline has no LoadActivationMask, so there is '
            "no number of masks: give the method `without=['masks']`"
        )
    images = training_images(cfg)
    for load in loads:
        source = TASK_UTILS.build(dict(load['source']))
        without = set(source.missing(key for key, _ in images))
        with_mask = [(key, label) for key, label in images if key not in without]
        count = masks
        if isinstance(masks, str):
            # at least one mask, unless the fraction is 0
            fraction = float(masks[:-1]) / 100
            count = max(round(fraction * len(images)), int(fraction > 0))
            count = len(with_mask) if fraction == 1 else count
        if count > len(with_mask):
            raise ValueError(
                f'{count} masks are requested, but only {len(with_mask)} '
                f'of {len(images)} training images have a mask'
            )
        load.pop('image_list', None)
        load.pop('fraction', None)
        if not count:
            load['fraction'] = 0.0
            continue
        chosen = choose_guided(with_mask, count, seed)
        file.write_text(format_guided_list(chosen), encoding='utf-8')
        load['image_list'] = str(file)


@lru_cache(maxsize=64)
def _images(config: str, root: str) -> tuple[tuple[str, int], ...]:
    """(key, label) of each image; cached, since cells use the same data sets."""
    dataset = build_dataset(json.loads(config))
    infos = (dataset.get_data_info(i) for i in range(len(dataset)))
    return tuple(
        (image_key({'sample_idx': i, **info}, root), info.get('gt_label', -1))
        for i, info in enumerate(infos)
    )


def _unwrap_dataset(config: ConfigDict) -> ConfigDict:
    """The data set inside wrappers."""
    configs = [one for _, one in dataset_configs(config)]
    if any('datasets' in one for one in configs):
        raise ValueError(
            'the training data set wraps several data sets: a choice of images by '
            'number needs a single data set'
        )
    return configs[-1]


def _loads(config: ConfigDict) -> list[ConfigDict]:
    return [t for t in config.get('pipeline', ()) if t['type'] == 'LoadActivationMask']
