"""Images and saliency maps from test splits, files and checkpoints."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmpretrain.models.heads import MultiLabelClsHead
from torch import nn

from cfcn_plugin.features.explanations import grad_cam, temporary_evaluation
from cfcn_plugin.functional.localization import reduce_channels
from cfcn_plugin.masks import guidance_rank
from cfcn_plugin.mm.annotation_files import build_dataset
from cfcn_plugin.mm.config.replace_masks import LOAD_MASK, replace_masks
from cfcn_plugin.mm.datasets.wrappers import first_pipeline
from cfcn_plugin.mm.trained_model import load_trained
from cfcn_plugin.visualization.heatmaps import SaliencyMaps, resize_maps
from cfcn_plugin.visualization.image_panel import ImagePanel

SEARCHED = 20  # loaded images per image of the requested number, at most


def image_panel(sample: dict) -> ImagePanel:
    """The image and mask of a packed sample.

    Raises:
        TypeError: The pipeline packs no single image.
    """
    inputs, data = sample['inputs'], sample['data_samples']
    if getattr(inputs, 'ndim', None) != 3:
        raise TypeError(
            'only images that the pipeline packs as (C, H, W) can be shown, got '
            f'{type(inputs).__name__} {tuple(getattr(inputs, "shape", ()))}'
        )
    mask = data.get('activation_mask')
    if mask is not None and mask.ndim == 3:
        mask = mask.max(0)
    label = data.get('gt_label')
    return ImagePanel(
        _reverse_colours(inputs),
        mask,
        frozenset(() if label is None else label.tolist()),
        Path(data.get('img_path') or str(data.get('sample_idx', ''))).name,
    )


def select_images(dataset, count: int) -> list[ImagePanel]:
    """Select images of a data set deterministically, all of the same size.

    Args:
        dataset: A data set with a packing transform in its pipeline.
        count: Maximum number of images.
    """
    found: list[ImagePanel] = []
    order = sorted(range(len(dataset)), key=lambda index: guidance_rank(str(index)))
    for index in order[: SEARCHED * count]:
        panel = image_panel(dataset[index])
        if not found or panel.image.shape == found[0].image.shape:
            found.append(panel)
        if len(found) == count:
            break
    return found


def load_test_images(
    cfg: Config, count: int
) -> tuple[list[ImagePanel], tuple[str, ...]]:
    """Some images of a config's test split, and the names of its classes."""
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    dataset = build_dataset(cfg.test_dataloader.dataset)
    return select_images(dataset, count), tuple(dataset.metainfo['classes'])


def load_image_file(cfg: Config, file: str | Path) -> ImagePanel:
    """An image file through a config's test pipeline, with its mask if there is one.

    Args:
        cfg: The config.
        file: Any image. Only an image below the data root of a mask source, the test's
            or the training's, can have a mask.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(f"image '{file}' does not exist")
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    pipeline = first_pipeline(cfg.get('test_dataloader'))
    panel = _run(pipeline, file)
    for load in first_pipeline(cfg.get('train_dataloader')):
        if panel.mask is None and load['type'] == LOAD_MASK:
            panel = _run(replace_masks(pipeline, load), file)
    return panel


def _run(pipeline: list[dict], file: str | Path) -> ImagePanel:
    all_masks = dict(
        image_list=None, fraction=1.0, empty='unguided', missing='unguided'
    )
    steps = [
        {**step, **all_masks} if step['type'] == LOAD_MASK else step
        for step in pipeline
    ]
    # a pipeline that loads no mask leaves the image unguided
    return image_panel(Compose(steps)(dict(img_path=str(file), guided=False)))


def load_model(cfg: Config, checkpoint: str | Path) -> nn.Module:
    """A config's model with the weights of a checkpoint, in evaluation mode.

    Raises:
        TypeError: The model is not a guided classifier and has no feature hook.
    """
    model = load_trained(cfg, checkpoint)
    if not hasattr(model, 'feature_hook'):
        raise TypeError(
            f"'{cfg.filename}' has a {type(model).__name__} without a feature hook: "
            'use its guided type with guidance=None (see cfcn_plugin.guide_config)'
        )
    return model


def class_names(model: nn.Module, known: dict | None = None) -> tuple[str, ...]:
    """Names of the classes: from ``known``, from the checkpoint, or numbers."""
    for meta in (known, getattr(model, '_dataset_meta', None)):
        if meta and meta.get('classes'):
            return tuple(meta['classes'])
    return tuple(f'class {index}' for index in range(_num_classes(model)))


def predict_saliency(model: nn.Module, images: Sequence[ImagePanel]) -> SaliencyMaps:
    """The guided maps of a classifier, from one forward pass in evaluation mode.

    If maps are classes, the result is the map of the predicted class, else the mean
    over channels. The model's mode is restored.

    Args:
        model: A guided classifier.
        images: Images of the same size.
    """
    inputs = _inputs(images).to(next(model.parameters()).device)
    with temporary_evaluation(model), torch.no_grad(), model.feature_hook:
        data = model.data_preprocessor(dict(inputs=list(inputs)))
        scores = model(data['inputs'])
        captured = model.feature_hook.captured()
    maps = captured.maps(data['inputs'])
    covers = captured.covers(maps, data['inputs'])[-1]
    activation = maps[-1].float()
    scores = sum(scores) if isinstance(scores, tuple | list) else scores
    confidence, predicted = _probabilities(model, scores).max(1)
    saliency = reduce_channels(
        activation, predicted if model.maps_are_classes else None
    )
    size = tuple(inputs.shape[-2:])
    class_maps = None
    if model.maps_are_classes:
        class_maps = resize_maps(activation.relu(), covers, size).cpu().numpy()
    return SaliencyMaps(
        resize_maps(saliency[:, None], covers, size)[:, 0].cpu().numpy(),
        predicted.cpu().numpy(),
        class_maps,
        confidence.cpu().numpy(),
    )


def predict_grad_cam(model: nn.Module, images: Sequence[ImagePanel]) -> SaliencyMaps:
    """Grad-CAM of the predicted class, an attribution that guidance did not train.

    Args:
        model: A guided classifier.
        images: Images of the same size.
    """
    known = predict_saliency(model, images)
    inputs = _inputs(images)
    data = model.data_preprocessor(dict(inputs=list(inputs)))
    target = F.one_hot(torch.as_tensor(known.predicted), _num_classes(model))
    explained = grad_cam(model, data['inputs'], target.to(data['inputs']))
    size = tuple(inputs.shape[-2:])
    saliency = resize_maps(explained.saliency[:, None], explained.covers, size)[:, 0]
    return replace(known, saliency=saliency.cpu().numpy(), class_maps=None)


def _probabilities(model: nn.Module, scores: torch.Tensor) -> torch.Tensor:
    several = isinstance(getattr(model, 'head', None), MultiLabelClsHead) or getattr(
        getattr(model, 'head', None), 'multi_label', False
    )
    return scores.sigmoid() if several else scores.softmax(1)


def _inputs(images: Sequence[ImagePanel]) -> torch.Tensor:
    """(B, C, H, W), BGR, as in packed samples."""
    return torch.stack([_reverse_colours(panel.image) for panel in images])


def _reverse_colours(image: torch.Tensor) -> torch.Tensor:
    """(C, H, W) with the first three channels in reverse order, if there are three."""
    if len(image) < 3:
        return image
    return torch.stack([image[2], image[1], image[0], *image[3:]])


def _num_classes(model: nn.Module) -> int:
    owner = getattr(model, 'head', None) or model.model  # a whole timm model
    return owner.num_classes
