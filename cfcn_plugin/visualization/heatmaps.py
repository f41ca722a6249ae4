"""Images, masks and saliency maps of models, side by side."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch.nn.functional as F
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from .figure_text import figure_text
from .image_panel import ImagePanel

DPI = 110


@dataclass(frozen=True)
class SaliencyMaps:
    """A model's saliency maps and predictions for a batch of images.

    Attributes:
        saliency: (B, H, W) in [0, 1], at the images' size.
        predicted: (B,) class indices.
        class_maps: (B, C, H, W) in [0, 1], if the model has a map per class: the maps
            of all classes, divided by their common maximum.
        confidence: (B,) in [0, 1], the probability of the predicted class; None if it
            is not known.
    """

    saliency: np.ndarray
    predicted: np.ndarray
    class_maps: np.ndarray | None = None
    confidence: np.ndarray | None = None

    def of_image(self, index: int) -> 'SaliencyMaps':
        """The maps and the prediction of one image."""
        return SaliencyMaps(
            *(
                None if one is None else one[index : index + 1]
                for one in (
                    self.saliency,
                    self.predicted,
                    self.class_maps,
                    self.confidence,
                )
            )
        )


def resize_maps(maps: Tensor, covers: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Resize maps to the size of their images, with a maximum of 1 for each image.

    Args:
        maps: (B, K, h, w), non-negative.
        covers: Height and width of the area that the maps cover, from the top left
            corner.
        size: (H, W) of the images.

    Returns:
        (B, K, H, W) in [0, 1]; 0 outside the covered area.
    """
    fine = F.interpolate(maps, size=covers, mode='bilinear')[..., : size[0], : size[1]]
    missing = [size[i] - fine.shape[i - 2] for i in (0, 1)]
    fine = F.pad(fine, (0, missing[1], 0, missing[0]))
    return fine / fine.amax((1, 2, 3), keepdim=True).clamp(min=1e-12)


def class_map_columns(
    name: str, maps: SaliencyMaps, classes: Sequence[str]
) -> dict[str, SaliencyMaps]:
    """A model's column of a sheet, and one column per class map if there are any."""
    by_class = () if maps.class_maps is None else np.moveaxis(maps.class_maps, 1, 0)
    return {
        name: maps,
        **{
            f'{name}\nmap of {title}': replace(maps, saliency=saliency, class_maps=None)
            for title, saliency in zip(classes, by_class)
        },
    }


def merge_columns(
    columns: Sequence[dict[str, SaliencyMaps]],
) -> dict[str, SaliencyMaps]:
    """Merge columns of single images, which may differ in size."""
    return {
        title: SaliencyMaps(
            [one[title].saliency[0] for one in columns],
            [one[title].predicted[0] for one in columns],
            confidence=None
            if columns[0][title].confidence is None
            else [one[title].confidence[0] for one in columns],
        )
        for title in columns[0]
    }


def render_figure(figure: Figure) -> np.ndarray:
    """The pixels of a figure, (H, W, 3) uint8, RGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def heatmap_sheet(
    panels: Sequence[ImagePanel],
    columns: dict[str, SaliencyMaps],
    classes: Sequence[str],
    title: str = '',
) -> Figure:
    """A sheet with a row for each image: image, mask, each saliency map and prediction.

    A correct prediction is green, a wrong prediction red. The mask's outline is drawn
    on each saliency map. An image without known labels has its name below the image.

    Args:
        panels: The images.
        columns: {title: maps of all images}.
        classes: Names of the classes.
        title: Title of the sheet.
    """
    titles = ['image', "a person's mask", *columns]
    figure = Figure(
        figsize=(2.1 * len(titles), 2.2 * len(panels) + 1),
        dpi=DPI,
        layout='constrained',
    )
    axes = figure.subplots(len(panels), len(titles), squeeze=False)
    for row, panel in enumerate(panels):
        true = ', '.join(str(classes[label]) for label in sorted(panel.labels))
        axes[row, 0].imshow(panel.pixels)
        axes[row, 0].set_xlabel(
            figure_text(f'this is a {true}' if true else panel.name)
        )
        if panel.mask is None:
            axes[row, 1].set_xlabel('no mask')
        else:
            axes[row, 1].imshow(panel.mask, cmap='gray', vmin=0, vmax=1)
        for axis, maps in zip(axes[row, 2:], columns.values()):
            axis.imshow(panel.pixels.mean(-1), cmap='gray', vmin=0, vmax=255)
            axis.imshow(maps.saliency[row], cmap='inferno', alpha=0.65, vmin=0, vmax=1)
            if panel.mask is not None and 0 < panel.mask.mean() < 1:
                axis.contour(panel.mask, levels=[0.5], colors='white', linewidths=1)
            predicted, sure = maps.predicted[row], ''
            if maps.confidence is not None:
                sure = f', {maps.confidence[row]:.0%}'
            axis.set_xlabel(
                figure_text(f'predicted {classes[predicted]}{sure}'),
                fontweight='bold',
                color=_colour(predicted, panel.labels),
            )
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    for axis, column in zip(axes[0], titles):
        axis.set_title(figure_text(column))
    if title:
        figure.suptitle(figure_text(title))
    return figure


def _colour(predicted: int, labels: Collection[int]) -> str:
    if not labels:
        return 'black'
    return 'tab:green' if predicted in labels else 'tab:red'
