"""A cell's training images and masks: nested choices by one hash."""
import json
from functools import lru_cache
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmpretrain.registry import TASK_UTILS

from cfcn_plugin.masks import choose_guided, image_key
from cfcn_plugin.mm.annotation_files import build_dataset
from cfcn_plugin.mm.datasets.wrappers import dataset_configs


def training_images(cfg: Config) -> list[tuple[str, int]]:
    """(key, label) of each training image, keys as LoadActivationMask makes them."""
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    config = _innermost(cfg.train_dataloader.dataset)
    loads = _loads(config)
    owner = loads[0]['source'] if loads else config
    return list(_images(json.dumps({**config, 'pipeline': []}, default=str),
                        owner.get('data_root', '')))


def choose_images(cfg: Config, size: int, seed: int) -> None:
    """Keep ``size`` training images of a config, chosen by :func:`choose_guided`.

    A smaller size is inside a larger one of the same seed.

    Args:
        cfg: Changed in place: ``indices`` of the training data set.
        size: How many.
        seed: Of the choice.

    Raises:
        ValueError: The training data set has ``indices`` already, or is several.
    """
    config = _innermost(cfg.train_dataloader.dataset)
    if config.get('indices') is not None:
        raise ValueError('the training data set has `indices` of its own: take them '
                         'out of the config, or the axis `size` out of the grid')
    images = training_images(cfg)
    chosen = set(choose_guided(images, size, seed))
    config.indices = [i for i, (key, _) in enumerate(images) if key in chosen]


def choose_masks(cfg: Config, masks: int | str, seed: int, file: Path) -> None:
    """Guide only some training images of a config, chosen as images are.

    They are chosen among those that have a mask, so that 10 are 10; fewer are inside
    more, whatever the size. With ``'100%'``, all that have one.

    Args:
        cfg: Changed in place: ``image_list`` or ``fraction`` of the training
            pipeline's LoadActivationMask.
        masks: A number, or a fraction of all training images such as ``'5%'``.
        seed: Of the choice.
        file: Where to write the list of the guided.

    Raises:
        ValueError: There are fewer masks than are asked for, or nothing loads any.
    """
    loads = _loads(_innermost(cfg.train_dataloader.dataset))
    if not loads:
        raise ValueError('the training pipeline has no LoadActivationMask, so there is '
                         'no number of masks: leave the method `without=[\'masks\']`')
    images = training_images(cfg)
    for load in loads:
        source = TASK_UTILS.build(dict(load['source']))
        without = set(source.missing(key for key, _ in images))
        with_mask = [(key, label) for key, label in images if key not in without]
        count = masks
        if isinstance(masks, str):
            # at least one, unless none is asked for
            fraction = float(masks[:-1]) / 100
            count = max(round(fraction * len(images)), fraction > 0)
            count = len(with_mask) if fraction == 1 else count
        if count > len(with_mask):
            raise ValueError(f'{count} masks are asked for, and {len(with_mask)} of '
                             f'{len(images)} training images have one')
        load.pop('image_list', None)
        load.pop('fraction', None)
        if not count:
            load['fraction'] = 0.
            continue
        chosen = choose_guided(with_mask, count, seed)
        file.write_text(''.join(f'{key}\n' for key in chosen), encoding='utf-8')
        load['image_list'] = str(file)


@lru_cache(maxsize=64)
def _images(config: str, root: str) -> tuple[tuple[str, int], ...]:
    """The cells of a grid ask for the same data sets again and again."""
    dataset = build_dataset(json.loads(config))
    infos = (dataset.get_data_info(i) for i in range(len(dataset)))
    return tuple(
        (image_key({'sample_idx': i, **info}, root), info.get('gt_label', -1))
        for i, info in enumerate(infos))


def _innermost(config: ConfigDict) -> ConfigDict:
    """The data set inside wrappers."""
    configs = [one for _, one in dataset_configs(config)]
    if any('datasets' in one for one in configs):
        raise ValueError(
            'the training data set is several in one: a choice of images by their '
            'number needs one alone')
    return configs[-1]


def _loads(config: ConfigDict) -> list[ConfigDict]:
    return [t for t in config.get('pipeline', ()) if t['type'] == 'LoadActivationMask']
