"""Pictures, masks and where models look, side by side."""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from cfcn_plugin.evaluation.focus import one_map

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402


@dataclass(frozen=True)
class Look:
    """What a model made of a batch of pictures.

    Attributes:
        heat: (B, H, W) in [0, 1], the map it is guided by, at the pictures' size.
        predicted: (B,) class indices.
    """
    heat: np.ndarray
    predicted: np.ndarray


@torch.no_grad()
def look(model: nn.Module, pictures: torch.Tensor) -> Look:
    """One forward pass of a guided classifier, in evaluation mode.

    Where maps are classes the predicted class's map is shown, else the mean over
    channels. The model's mode is put back.

    Args:
        model: A guided classifier.
        pictures: (B, 3, H, W) uint8, RGB.
    """
    was_training = model.training
    model.eval()
    try:
        data = model.data_preprocessor(dict(inputs=list(pictures.flip(1))))
        with model.feature_hook:
            scores = model(data['inputs'])
            activation = model.feature_hook.take(data['inputs'])
    finally:
        model.train(was_training)
    activation = activation[-1] if isinstance(activation, tuple) else activation
    predicted = scores.argmax(1)
    heat = one_map(activation.float(), predicted if model.maps_are_classes else None)
    heat = F.interpolate(heat[:, None], size=pictures.shape[-2:], mode='bilinear')[:, 0]
    heat = heat / heat.amax((1, 2), keepdim=True).clamp(min=1e-12)
    return Look(heat.cpu().numpy(), predicted.cpu().numpy())


def heatmap_sheet(path: str | Path,
                  pictures: np.ndarray,
                  masks: np.ndarray,
                  looks: dict[str, Look],
                  labels: Sequence[int],
                  classes: Sequence[str],
                  title: str = '') -> None:
    """A sheet with a row a picture: picture, mask, then each model's heat and answer.

    A right answer is green, a wrong one red.

    Args:
        path: PNG to write.
        pictures: (B, H, W, 3) uint8, RGB.
        masks: (B, H, W) {0, 1}.
        looks: By the column's title.
        labels: (B,) true classes.
        classes: Their names.
        title: Above the sheet.
    """
    columns = ['picture', "a person's mask", *looks]
    figure, axes = plt.subplots(
        len(pictures),
        len(columns),
        figsize=(2.1 * len(columns), 2.2 * len(pictures) + 1),
        squeeze=False,
        layout='constrained')
    for row, (picture, mask) in enumerate(zip(pictures, masks)):
        grey = picture.mean(-1)
        axes[row, 0].imshow(picture)
        axes[row, 0].set_xlabel(f'this is a {classes[labels[row]]}')
        axes[row, 1].imshow(mask, cmap='gray', vmin=0, vmax=1)
        for axis, seen in zip(axes[row, 2:], looks.values()):
            axis.imshow(grey, cmap='gray', vmin=0, vmax=255)
            axis.imshow(seen.heat[row], cmap='inferno', alpha=0.65, vmin=0, vmax=1)
            right = seen.predicted[row] == labels[row]
            axis.set_xlabel(
                f'says {classes[seen.predicted[row]]}',
                color='tab:green' if right else 'tab:red',
                fontweight='bold')
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    for axis, name in zip(axes[0], columns):
        axis.set_title(name)
    if title:
        figure.suptitle(title)
    figure.savefig(path, dpi=110)
    plt.close(figure)
