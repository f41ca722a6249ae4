"""Images and models to look at: from a test split, from files, from checkpoints."""
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config, ConfigDict
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmpretrain.apis import get_model
from mmpretrain.registry import TRANSFORMS
from torch import Tensor, nn

from cfcn_plugin.masks import MaskError, guidance_rank, image_key
from cfcn_plugin.mm.safe_loading import build_dataset
from cfcn_plugin.visualization.heatmaps import Look, look, stretched

REACH = 20  # images looked at for one of the others' size


@dataclass(frozen=True)
class Shown:
    """An image as the model gets it, before it is normalised.

    Attributes:
        image: (3, H, W) uint8, RGB.
        mask: (H, W) {0, 1}, of any class; None if there is none.
        labels: The true classes; none if they are not known.
        name: Of the file.
    """
    image: Tensor
    mask: np.ndarray | None
    labels: frozenset[int]
    name: str

    @property
    def pixels(self) -> np.ndarray:
        """(H, W, 3) uint8, RGB."""
        return self.image.permute(1, 2, 0).numpy()


def shown(sample: dict) -> Shown:
    """From what a pipeline packed.

    Raises:
        TypeError: It is no uint8 image.
    """
    inputs, data = sample['inputs'], sample['data_samples']
    if inputs.dtype != torch.uint8 or inputs.shape[0] != 3:
        raise TypeError('only images that the pipeline packs as uint8 (3, H, W) can '
                        f'be shown, got {inputs.dtype} {tuple(inputs.shape)}')
    mask = data.get('activation_mask')
    if mask is not None and mask.ndim == 3:
        mask = mask.max(0)
    label = data.get('gt_label')
    return Shown(
        inputs.flip(0).contiguous(), mask,
        frozenset(() if label is None else label.tolist()),
        Path(data.get('img_path') or str(data.get('sample_idx', ''))).name)


def some_of(dataset, count: int) -> list[Shown]:
    """Images of a data set, always the same ones, all of the first one's size.

    Args:
        dataset: With a pipeline that packs.
        count: How many at most.
    """
    found: list[Shown] = []
    order = sorted(range(len(dataset)), key=lambda index: guidance_rank(str(index)))
    for index in order[:REACH * count]:
        one = shown(dataset[index])
        if not found or one.image.shape == found[0].image.shape:
            found.append(one)
        if len(found) == count:
            break
    return found


def images_of_test_split(cfg: Config, count: int) -> tuple[list[Shown], tuple[str, ...]]:
    """Some of a config's test split, and the names of its classes."""
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    dataset = build_dataset(cfg.test_dataloader.dataset)
    return some_of(dataset, count), tuple(dataset.metainfo['classes'])


def image_file(cfg: Config, file: str | Path) -> Shown:
    """A file through a config's test pipeline, with its mask if the source has one.

    Args:
        cfg: The config.
        file: Any image; below the source's data root it may have a mask.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(f"image '{file}' does not exist")
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    # a pipeline that loads no mask leaves the image unguided
    results = dict(img_path=str(file), guided=False)
    pipeline = []
    for step in cfg.test_dataloader.dataset.pipeline:
        if step['type'] == 'LoadActivationMask':
            step = TRANSFORMS.build(
                {**step, 'image_list': None, 'fraction': 1., 'missing': 'unguided',
                 'empty': 'unguided'})
            try:
                image_key(results, step.source.data_root)
            except MaskError:  # an image from elsewhere
                continue
        pipeline.append(step)
    return shown(Compose(pipeline)(results))


def load_model(cfg: Config, checkpoint: str | Path) -> nn.Module:
    """A config's model with the weights of a checkpoint, in evaluation mode.

    Raises:
        TypeError: It is no guided classifier, which alone knows its map.
    """
    cfg = deepcopy(cfg)
    backbone = cfg.model.get('backbone', ConfigDict())
    if backbone.get('pretrained'):
        backbone.pretrained = False  # the checkpoint has them
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    model = get_model(cfg, pretrained=str(checkpoint))
    if not hasattr(model, 'feature_hook'):
        raise TypeError(
            f"'{cfg.filename}' has a {type(model).__name__}, which does not know where "
            'its map is: write its guided type with guidance=None '
            '(cfcn_plugin.guide_config does)')
    return model


def class_names(model: nn.Module, known: dict | None = None) -> tuple[str, ...]:
    """Names of the classes: those that are known, the checkpoint's, or numbers."""
    for meta in (known, getattr(model, '_dataset_meta', None)):
        if meta and meta.get('classes'):
            return tuple(meta['classes'])
    return tuple(f'class {index}' for index in range(_num_classes(model)))


def look_at(model: nn.Module, images: Sequence[Shown]) -> Look:
    """:func:`look` at images of one size."""
    device = next(model.parameters()).device
    return look(model, torch.stack([p.image for p in images]).to(device))


def grad_cam_look(model: nn.Module, images: Sequence[Shown]) -> Look:
    """Grad-CAM of the predicted class, which nobody trained on.

    Args:
        model: A guided classifier.
        images: Of one size.

    Raises:
        ImportError: The library is missing; the message says how to get it.
    """
    from cfcn_plugin.features.explanations import grad_cam

    seen = look_at(model, images)
    data = model.data_preprocessor(
        dict(inputs=[p.image.flip(0) for p in images]))
    predicted = torch.as_tensor(seen.predicted)
    target = F.one_hot(predicted, _num_classes(model)).to(data['inputs'])
    explained = grad_cam(model, data['inputs'], target)
    size = tuple(images[0].image.shape[-2:])
    saliency = stretched(explained.saliency[:, None], explained.covers, size)[:, 0]
    return Look(saliency.cpu().numpy(), seen.predicted)


def columns_together(columns: Sequence[dict[str, Look]]) -> dict[str, Look]:
    """Columns of one image each, to columns of all; images may differ in size."""
    return {
        title: Look([one[title].saliency[0] for one in columns],
                    [one[title].predicted[0] for one in columns])
        for title in columns[0]
    }


def _num_classes(model: nn.Module) -> int:
    owner = getattr(model, 'head', None) or model.model  # a whole timm model
    return owner.num_classes
