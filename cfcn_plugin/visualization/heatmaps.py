"""Images, masks and saliency maps of models, side by side."""
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

DPI = 110


@dataclass(frozen=True)
class SaliencyMaps:
    """A model's saliency maps and predictions of a batch of images.

    Attributes:
        saliency: (B, H, W) in [0, 1], at the images' size.
        predicted: (B,) class indices.
        class_maps: (B, C, H, W) in [0, 1], where maps are classes: all classes' maps of
            the same forward pass, divided by the largest value of all of them.
    """
    saliency: np.ndarray
    predicted: np.ndarray
    class_maps: np.ndarray | None = None


def resize_maps(maps: Tensor, covers: tuple[int, int],
                size: tuple[int, int]) -> Tensor:
    """Maps at the size of their images, each image's largest value 1.

    Args:
        maps: (B, K, h, w), non-negative.
        covers: Rows and columns of pixels that the maps lie on, from the top left
            corner.
        size: (H, W) of the images.

    Returns:
        (B, K, H, W) in [0, 1]; 0 where no cell of a map lies.
    """
    fine = F.interpolate(maps, size=covers, mode='bilinear')[..., :size[0], :size[1]]
    missing = [size[i] - fine.shape[i - 2] for i in (0, 1)]
    fine = F.pad(fine, (0, missing[1], 0, missing[0]))
    return fine / fine.amax((1, 2, 3), keepdim=True).clamp(min=1e-12)


def class_map_columns(name: str, maps: SaliencyMaps,
                      classes: Sequence[str]) -> dict[str, SaliencyMaps]:
    """A model's column of a sheet, and one for each class's map if there are any."""
    columns = {name: maps}
    if maps.class_maps is not None:
        for index, title in enumerate(classes):
            columns[f'{name}\nmap of {title}'] = SaliencyMaps(
                maps.class_maps[:, index], maps.predicted)
    return columns


def merge_columns(
        columns: Sequence[dict[str, SaliencyMaps]]) -> dict[str, SaliencyMaps]:
    """Columns of one image each, to columns of all images, which may differ in size."""
    return {
        title: SaliencyMaps([one[title].saliency[0] for one in columns],
                            [one[title].predicted[0] for one in columns])
        for title in columns[0]
    }


def render_figure(figure: Figure) -> np.ndarray:
    """The pixels of a figure, (H, W, 3) uint8, RGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def heatmap_sheet(images: Sequence[np.ndarray],
                  masks: Sequence[np.ndarray | None],
                  columns: dict[str, SaliencyMaps],
                  labels: Sequence[Collection[int]],
                  classes: Sequence[str],
                  title: str = '',
                  names: Sequence[str] = ()) -> Figure:
    """A sheet with a row for each image: image, mask, each saliency map and prediction.

    A right prediction is green, a wrong one red.

    Args:
        images: B of (H, W, 3) uint8, RGB.
        masks: B of (H, W) {0, 1}; None for an image without.
        columns: The maps of all images by the column's title.
        labels: True classes of each image; () where they are not known.
        classes: Names of the classes.
        title: Above the sheet.
        names: Of the images, written where their labels are not known.
    """
    titles = ['image', "a person's mask", *columns]
    figure = Figure(
        figsize=(2.1 * len(titles), 2.2 * len(images) + 1), dpi=DPI,
        layout='constrained')
    axes = figure.subplots(len(images), len(titles), squeeze=False)
    for row, (image, mask) in enumerate(zip(images, masks)):
        name = names[row] if names else ''
        true = [str(classes[label]) for label in sorted(labels[row])]
        axes[row, 0].imshow(image)
        axes[row, 0].set_xlabel(f'this is a {", ".join(true)}' if true else name)
        if mask is None:
            axes[row, 1].set_xlabel('no mask')
        else:
            axes[row, 1].imshow(mask, cmap='gray', vmin=0, vmax=1)
        for axis, maps in zip(axes[row, 2:], columns.values()):
            _draw_saliency(axis, image, maps.saliency[row])
            predicted = maps.predicted[row]
            axis.set_xlabel(f'says {classes[predicted]}', fontweight='bold',
                            color=_colour(predicted, labels[row]))
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    for axis, column in zip(axes[0], titles):
        axis.set_title(column)
    if title:
        figure.suptitle(title)
    return figure


def _draw_saliency(axis: Axes, image: np.ndarray, saliency: np.ndarray) -> None:
    axis.imshow(image.mean(-1), cmap='gray', vmin=0, vmax=255)
    axis.imshow(saliency, cmap='inferno', alpha=0.65, vmin=0, vmax=1)


def _colour(predicted: int, labels: Collection[int]) -> str:
    if not labels:
        return 'black'
    return 'tab:green' if predicted in labels else 'tab:red'
