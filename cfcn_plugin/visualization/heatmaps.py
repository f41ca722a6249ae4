"""Images, masks and where models look, side by side."""
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor, nn

from cfcn_plugin.functional.localization import reduce_channels

DPI = 110


@dataclass(frozen=True)
class Look:
    """What a model made of a batch of images.

    Attributes:
        saliency: (B, H, W) in [0, 1], the map it is guided by, at the images' size.
        predicted: (B,) class indices.
        class_maps: (B, C, H, W) in [0, 1], where maps are classes: the same forward
            pass's maps of all classes, over the hottest pixel of them all.
    """
    saliency: np.ndarray
    predicted: np.ndarray
    class_maps: np.ndarray | None = None


@torch.no_grad()
def look(model: nn.Module, images: Tensor) -> Look:
    """One forward pass of a guided classifier, in evaluation mode.

    Where maps are classes the predicted class's map is shown, else the mean over
    channels. The model's mode is put back.

    Args:
        model: A guided classifier.
        images: (B, 3, H, W) uint8, RGB.
    """
    was_training = model.training
    model.eval()
    try:
        data = model.data_preprocessor(dict(inputs=list(images.flip(1))))
        with model.feature_hook:
            scores = model(data['inputs'])
            activation = model.feature_hook.take(data['inputs'])
            covers = model.feature_hook.covers(activation, data['inputs'])[-1]
    finally:
        model.train(was_training)
    activation = activation[-1] if isinstance(activation, tuple) else activation
    activation = activation.float()
    scores = sum(scores) if isinstance(scores, tuple | list) else scores
    predicted = scores.argmax(1)
    saliency = reduce_channels(activation, predicted if model.maps_are_classes else None)
    size = tuple(images.shape[-2:])
    maps = None
    if model.maps_are_classes:
        maps = stretched(activation.relu(), covers, size).cpu().numpy()
    return Look(
        stretched(saliency[:, None], covers, size)[:, 0].cpu().numpy(),
        predicted.cpu().numpy(), maps)


def stretched(maps: Tensor, covers: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Maps laid over their images, each image's hottest pixel 1.

    Args:
        maps: (B, K, h, w), non-negative.
        covers: Rows and columns of pixels that they lie on, from the corner.
        size: (H, W) of the images.

    Returns:
        (B, K, H, W) in [0, 1]; 0 where no cell of a map lies.
    """
    fine = F.interpolate(maps, size=covers, mode='bilinear')[..., :size[0], :size[1]]
    missing = [size[i] - fine.shape[i - 2] for i in (0, 1)]
    fine = F.pad(fine, (0, missing[1], 0, missing[0]))
    return fine / fine.amax((1, 2, 3), keepdim=True).clamp(min=1e-12)


def columns_of(name: str, seen: Look, classes: Sequence[str]) -> dict[str, Look]:
    """A model's column of a sheet, and one for each class's map if there are any."""
    columns = {name: seen}
    if seen.class_maps is not None:
        for index, title in enumerate(classes):
            columns[f'{name}\nmap of {title}'] = Look(
                seen.class_maps[:, index], seen.predicted)
    return columns


def as_pixels(figure: Figure) -> np.ndarray:
    """A figure drawn, (H, W, 3) uint8, RGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def heatmap_sheet(images: Sequence[np.ndarray],
                  masks: Sequence[np.ndarray | None],
                  looks: dict[str, Look],
                  labels: Sequence[Collection[int]],
                  classes: Sequence[str],
                  title: str = '',
                  names: Sequence[str] = ()) -> Figure:
    """A sheet with a row an image: image, mask, then each model's saliency and answer.

    A right answer is green, a wrong one red.

    Args:
        images: B of (H, W, 3) uint8, RGB.
        masks: B of (H, W) {0, 1}; None for an image without.
        looks: By the column's title.
        labels: Each one's true classes; () where they are not known, and no answer is
            right.
        classes: Their names.
        title: Above the sheet.
        names: B, of the images, written where the label is not known.
    """
    columns = ['image', "a person's mask", *looks]
    figure = Figure(
        figsize=(2.1 * len(columns), 2.2 * len(images) + 1), dpi=DPI,
        layout='constrained')
    axes = figure.subplots(len(images), len(columns), squeeze=False)
    for row, (image, mask) in enumerate(zip(images, masks)):
        grey = image.mean(-1)
        axes[row, 0].imshow(image)
        if labels[row]:
            true = ', '.join(str(classes[label]) for label in sorted(labels[row]))
            axes[row, 0].set_xlabel(f'this is a {true}')
        elif names:
            axes[row, 0].set_xlabel(names[row])
        if mask is None:
            axes[row, 1].set_xlabel('no mask')
        else:
            axes[row, 1].imshow(mask, cmap='gray', vmin=0, vmax=1)
        for axis, seen in zip(axes[row, 2:], looks.values()):
            axis.imshow(grey, cmap='gray', vmin=0, vmax=255)
            axis.imshow(seen.saliency[row], cmap='inferno', alpha=0.65, vmin=0, vmax=1)
            colour = 'black'
            if labels[row]:
                right = seen.predicted[row] in labels[row]
                colour = 'tab:green' if right else 'tab:red'
            axis.set_xlabel(f'says {classes[seen.predicted[row]]}', color=colour,
                            fontweight='bold')
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    for axis, name in zip(axes[0], columns):
        axis.set_title(name)
    if title:
        figure.suptitle(title)
    return figure
