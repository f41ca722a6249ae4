"""The images and masks of a config's data sets, loaded by the config's pipelines."""

import copy

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from mmpretrain.registry import TRANSFORMS

from cfcn_plugin.annotation.samples import Samples
from cfcn_plugin.masks import image_key
from cfcn_plugin.masks.refine import Refined
from cfcn_plugin.mm.annotation_files import build_dataset
from cfcn_plugin.mm.datasets.wrappers import dataset_configs
from cfcn_plugin.visualization.overlay import screen_pixels


class DatasetSamples(Samples):
    """The images of a data set, before its pipeline.

    Attributes:
        loader: The pipeline's LoadActivationMask.
        load_config: The config of that transform.

    Args:
        config: Config of a data set with LoadActivationMask in its pipeline.
        draws: Number of runs of the whole pipeline per guided image, to measure
            ``kept_fraction``. The draws depend only on the image's index.

    Raises:
        ValueError: ``draws`` is not 0, and the pipeline does not end with
            PackGuidedInputs.
    """

    def __init__(self, config: dict, draws: int = 0):
        pipeline = config['pipeline']
        at = _mask_steps(config)[0]
        self.load_config = pipeline[at]
        self.loader = TRANSFORMS.build(self.load_config)
        self.dataset = build_dataset({**config, 'pipeline': []})
        self.root = self.loader.source.data_root
        self.names = [image_key(self[i], self.root) for i in range(len(self.dataset))]
        self.classes = tuple(self.dataset.metainfo.get('classes') or ())
        self.draws = draws
        self._before = [TRANSFORMS.build(t) for t in pipeline[:at]]
        after = pipeline[at + 1 :] if draws else []
        if draws and (not after or after[-1]['type'] != 'PackGuidedInputs'):
            raise ValueError(
                "draws need a pipeline that ends with dict(type='PackGuidedInputs')"
            )
        self._after = [TRANSFORMS.build(t) for t in after]

    def __getitem__(self, index: int) -> dict:
        return {'sample_idx': index, **self.dataset.get_data_info(index)}

    def load_image(self, index: int) -> np.ndarray:
        image = self._load(index)['img']
        # mmcv loads BGR
        return screen_pixels(image if image.ndim == 2 else image[..., 2::-1])

    def kept_fraction(self, index: int) -> float | None:
        if not self.draws:
            return None
        set_random_seed(index)
        loaded = self.loader(self._load(index))
        kept = 0
        for _ in range(self.draws):
            results = copy.deepcopy(loaded)
            for transform in self._after:
                results = transform(results)
            kept += bool(results['data_samples'].guided)
        return kept / self.draws

    def refined(self, index: int) -> Refined | None:
        if self.loader.refine is None:
            return None
        loaded = self.loader(self._load(index))
        return Refined(loaded['activation_mask'], loaded['outline_ways'])

    def _load(self, index: int) -> dict:
        results = self[index]
        for transform in self._before:
            results = transform(results)
        if results is None:
            raise ValueError('the transforms before LoadActivationMask returned None')
        return results


def guided_datasets(
    cfg: Config, split: str = 'train', draws: int = 0
) -> list[DatasetSamples]:
    """The data sets of a split that load masks, including wrapped data sets.

    Args:
        cfg: The config.
        split: ``'train'``, ``'val'`` or ``'test'``.
        draws: As in :class:`DatasetSamples`.

    Raises:
        ValueError: The config has no such split, or no pipeline that loads masks.
    """
    loader = cfg.get(f'{split}_dataloader')
    if loader is None:
        raise ValueError(f"config '{cfg.filename}' has no `{split}_dataloader`")
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    found = [
        DatasetSamples(config, draws)
        for _, config in dataset_configs(loader.dataset)
        if _mask_steps(config)
    ]
    if not found:
        raise ValueError(
            f"config '{cfg.filename}' has no LoadActivationMask in the "
            f'pipeline of its `{split}_dataloader`'
        )
    return found


def _mask_steps(config: dict) -> list[int]:
    """Places of LoadActivationMask in a data set's pipeline."""
    return [
        i
        for i, t in enumerate(config.get('pipeline') or [])
        if t['type'] == 'LoadActivationMask'
    ]
