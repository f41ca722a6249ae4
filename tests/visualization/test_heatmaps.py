"""Where models look, as numbers and as an image."""
import numpy as np
import pytest
import torch
from mmpretrain.registry import MODELS
from PIL import Image

from cfcn_plugin.visualization.heatmaps import (
    Look,
    as_pixels,
    columns_of,
    heatmap_sheet,
    look,
    stretched,
)

IMAGE = (24, 32)


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='GuidedClassifier',
            data_preprocessor=dict(mean=[127] * 3, std=[64] * 3, to_rgb=True),
            backbone=dict(type='CFCNNet', filters=[6, 8], strides=2),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=3)))


@pytest.fixture(scope='module')
def class_maps():
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='GuidedClassifier',
            backbone=dict(type='CFCNNet', filters=[6], strides=2),
            head=dict(type='CausalFocusHead', num_classes=3)))


def images(batch=2):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(
        0, 256, (batch, 3, *IMAGE), dtype=torch.uint8, generator=generator)


# ---- look ------------------------------------------------------------------


@pytest.mark.parametrize('kind', ['model', 'class_maps'])
def test_heat_is_between_0_and_1_at_the_images_size(request, kind):
    seen = look(request.getfixturevalue(kind), images(3))
    assert seen.saliency.shape == (3, *IMAGE)
    assert seen.saliency.min() >= 0
    np.testing.assert_allclose(seen.saliency.max((1, 2)), 1, rtol=1e-6)
    assert seen.predicted.shape == (3, )


@pytest.mark.parametrize('training', [True, False])
def test_look_puts_the_mode_back_and_changes_no_statistics(model, training):
    model.train(training)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    look(model, images())
    assert model.training is training
    assert all(m.training is training for m in model.backbone.modules())
    torch.testing.assert_close(dict(model.state_dict()), before)


def test_look_puts_the_mode_back_after_an_exception(model):
    model.train()
    with pytest.raises(RuntimeError):
        look(model, torch.zeros(2, 4, *IMAGE, dtype=torch.uint8)[:, :, :0])
    assert model.training
    assert model.feature_hook.captures[0].raw is None


def test_look_gives_the_answers_of_predict(model):
    model.eval()
    seen = look(model, images(8))
    data = model.data_preprocessor(dict(inputs=list(images(8).flip(1))))
    expected = [int(s.pred_label) for s in model.predict(data['inputs'])]
    assert seen.predicted.tolist() == expected


def test_the_predicted_classs_map_is_shown_where_maps_are_classes(class_maps):
    class_maps.eval()
    with torch.no_grad():
        for wanted in range(3):
            class_maps.head.conv.bias.fill_(-1e6)
            class_maps.head.conv.bias[wanted] = 1e6
            seen = look(class_maps, images())
            assert seen.predicted.tolist() == [wanted] * 2
            assert seen.saliency.max() == pytest.approx(1)  # the others' maps are dead


def test_dead_map_is_dark(class_maps):
    with torch.no_grad():
        class_maps.head.conv.bias.fill_(-1e6)
    assert (look(class_maps, images()).saliency == 0).all()


# ---- the sheet -------------------------------------------------------------


def test_sheet_is_an_image_of_more_than_one_colour(tmp_path):
    rng = np.random.default_rng(0)
    masks = np.zeros((2, *IMAGE), np.uint8)
    masks[:, 5:10, 5:10] = 1
    looks = {
        'guided': Look(rng.random((2, *IMAGE)), np.array([0, 1])),
        'plain': Look(rng.random((2, *IMAGE)), np.array([1, 1])),
    }
    file = tmp_path / 'sheet.png'
    heatmap_sheet(images().permute(0, 2, 3, 1).numpy(), masks, looks, [[0], [1]],
                  ['cat', 'dog'], title='where they look').savefig(file)
    with Image.open(file) as sheet:
        colours = sheet.convert('RGB').getcolors(maxcolors=1 << 20)
    assert len(colours) > 100


def test_sheet_takes_images_without_mask_or_label_and_leaves_no_figure_open():
    from matplotlib import pyplot as plt
    sheet = heatmap_sheet([np.zeros((4, 4, 3), np.uint8)], [None],
                          {'guided': Look(np.ones((1, 4, 4)), np.array([0]))}, [()],
                          ['cat'], names=['a.jpg'])
    words = {axis.get_xlabel() for axis in sheet.axes}
    assert {'a.jpg', 'says cat'} <= words
    assert as_pixels(sheet).shape[2] == 3
    assert plt.get_fignums() == []


def test_any_of_several_true_classes_is_a_right_answer():
    looks = {str(i): Look(np.ones((1, 4, 4)), np.array([i])) for i in range(3)}
    sheet = heatmap_sheet([np.zeros((4, 4, 3), np.uint8)], [None], looks, [{0, 2}],
                          ['MA', 'HE', 'EX'])
    assert sheet.axes[0].get_xlabel() == 'this is a MA, EX'
    colours = [axis.xaxis.label.get_color() for axis in sheet.axes[2:]]
    assert colours == ['tab:green', 'tab:red', 'tab:green']


# ---- all classes' maps, and maps that do not lie on the whole image ---------


def test_class_maps_are_of_the_same_pass_and_share_one_scale(class_maps):
    with torch.no_grad():  # alive, whatever other tests have done to it
        class_maps.head.conv.bias.copy_(torch.tensor([1., 2., 3.]))
    seen = look(class_maps, images())
    assert seen.class_maps.shape == (2, 3, *IMAGE)
    np.testing.assert_allclose(seen.class_maps.max((1, 2, 3)), 1, rtol=1e-6)
    columns = columns_of('guided', seen, ['a', 'b', 'c'])
    assert list(columns) == ['guided', 'guided\nmap of a', 'guided\nmap of b',
                             'guided\nmap of c']
    assert (columns['guided\nmap of b'].saliency == seen.class_maps[:, 1]).all()


def test_other_heads_have_no_class_maps(model):
    seen = look(model, images())
    assert seen.class_maps is None
    assert list(columns_of('plain', seen, ['a', 'b', 'c'])) == ['plain']


def test_map_is_laid_where_its_cells_are():
    cells = torch.ones(1, 1, 2, 2)
    # two patches of 4 rows on an image of 10: the last two rows have no cell
    laid = stretched(cells, (8, 8), (10, 8))
    assert laid.shape == (1, 1, 10, 8)
    assert (laid[0, 0, :8] == 1).all() and (laid[0, 0, 8:] == 0).all()
    # a grid that was filled up is cut to the image
    assert stretched(cells, (12, 8), (10, 8)).shape == (1, 1, 10, 8)
