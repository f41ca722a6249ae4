"""Saliency maps resized to their images, and the heatmap sheet."""

import numpy as np
import torch
from PIL import Image

from cfcn_plugin.visualization.heatmaps import (
    SaliencyMaps,
    class_map_columns,
    heatmap_sheet,
    merge_columns,
    render_figure,
    resize_maps,
)
from cfcn_plugin.visualization.image_panel import ImagePanel

IMAGE = (24, 32)


# ---- the sheet -------------------------------------------------------------


def panel(seed=0, mask=False, labels=()):
    pixels = np.random.default_rng(seed).integers(0, 256, (3, *IMAGE), dtype=np.uint8)
    inside = np.zeros(IMAGE, np.uint8)
    inside[5:10, 5:10] = 1
    return ImagePanel(
        torch.from_numpy(pixels), inside if mask else None, frozenset(labels), 'a.jpg'
    )


def maps(*predicted):
    saliency = np.random.default_rng(0).random((len(predicted), *IMAGE))
    return SaliencyMaps(saliency, np.array(predicted))


def test_sheet_is_an_image_of_more_than_one_colour(tmp_path):
    panels = [panel(0, True, [0]), panel(1, True, [1])]
    columns = {'guided': maps(0, 1), 'plain': maps(1, 1)}
    file = tmp_path / 'sheet.png'
    heatmap_sheet(panels, columns, ['cat', 'dog'], title='a title').savefig(file)
    with Image.open(file) as sheet:
        colours = sheet.convert('RGB').getcolors(maxcolors=1 << 20)
    assert len(colours) > 100


def test_sheet_takes_images_without_mask_or_label_and_leaves_no_figure_open():
    from matplotlib import pyplot as plt

    sheet = heatmap_sheet([panel()], {'guided': maps(0)}, ['cat'])
    words = {axis.get_xlabel() for axis in sheet.axes}
    assert {'a.jpg', 'no mask', 'predicted cat'} <= words
    assert render_figure(sheet).shape[2] == 3
    assert plt.get_fignums() == []


def test_any_of_several_true_classes_is_a_right_answer():
    columns = {str(i): maps(i) for i in range(3)}
    sheet = heatmap_sheet([panel(labels=[0, 2])], columns, ['MA', 'HE', 'EX'])
    assert sheet.axes[0].get_xlabel() == 'this is a MA, EX'
    colours = [axis.xaxis.label.get_color() for axis in sheet.axes[2:]]
    assert colours == ['tab:green', 'tab:red', 'tab:green']


def test_columns_of_single_images_become_columns_of_all():
    single = [
        dict(map=SaliencyMaps(np.full((1, 2, size), size), np.array([size])))
        for size in (3, 4)
    ]
    columns = merge_columns(single)
    assert [saliency.shape for saliency in columns['map'].saliency] == [(2, 3), (2, 4)]
    assert list(columns['map'].predicted) == [3, 4]


def test_each_class_map_has_a_column():
    some = np.arange(48.0).reshape(2, 3, 2, 4)
    guided = SaliencyMaps(some[:, 0], np.array([0, 0]), some)
    columns = class_map_columns('guided', guided, ['a', 'b', 'c'])
    assert list(columns) == [
        'guided',
        'guided\nmap of a',
        'guided\nmap of b',
        'guided\nmap of c',
    ]
    assert (columns['guided\nmap of b'].saliency == some[:, 1]).all()
    assert list(class_map_columns('plain', maps(0), ['a', 'b', 'c'])) == ['plain']


# ---- maps that do not lie on the whole image -------------------------------------


def test_map_lies_where_its_cells_are():
    cells = torch.ones(1, 1, 2, 2)
    # two patches of 4 rows on an image of 10: the last two rows have no cell
    resized = resize_maps(cells, (8, 8), (10, 8))
    assert resized.shape == (1, 1, 10, 8)
    assert (resized[0, 0, :8] == 1).all() and (resized[0, 0, 8:] == 0).all()
    # a grid that was filled up is cut to the image
    assert resize_maps(cells, (12, 8), (10, 8)).shape == (1, 1, 10, 8)


def test_a_map_has_its_mask_s_outline_and_the_prediction_s_confidence():
    sure = SaliencyMaps(
        np.ones((1, *IMAGE)), np.array([1]), confidence=np.array([0.87])
    )
    sheet = heatmap_sheet([panel(mask=True)], {'guided': sure}, ['cat', 'dog'])
    axis = sheet.axes[2]
    assert axis.get_xlabel() == 'predicted dog, 87%' and axis.get_title() == 'guided'
    (outline,) = axis.collections
    assert outline.get_paths()[0].get_extents().bounds == (4.5, 4.5, 5.0, 5.0)
