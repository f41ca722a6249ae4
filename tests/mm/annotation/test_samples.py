"""The data sets of configs: their images, and draws of their whole pipeline."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from cfcn_plugin.annotation.validate import MaskValidator
from cfcn_plugin.mm.annotation.samples import guided_datasets

CONFIG = Path(__file__).parents[3] / 'configs/cfcn_efficientnet-lite0_waterbirds.py'
SHAPE = (40, 60)


@pytest.fixture
def birds(waterbirds_root, monkeypatch):
    monkeypatch.setenv('CFCN_DATA', str(waterbirds_root))
    return Config.fromfile(CONFIG)


def test_config_gives_images_labels_and_what_loads_masks(birds, waterbirds_root):
    (guided,) = guided_datasets(birds)
    assert guided.names[:2] == ['images/000.jpg', 'images/001.jpg']
    assert len(guided) == 8
    assert guided[1]['gt_label'] == 1
    assert guided.loader.source.data_root == str(waterbirds_root / 'waterbirds100')
    assert guided.load_config.type == 'LoadActivationMask'
    with Image.open(waterbirds_root / 'waterbirds100/images/001.jpg') as image:
        np.testing.assert_allclose(guided.load_image(1), np.array(image), atol=6)
    assert guided.classes == ('landbird', 'waterbird')
    assert len(guided_datasets(birds, 'val')[0]) == 8


def test_data_sets_inside_wrappers_are_found(birds):
    inner = birds.train_dataloader.dataset
    birds.train_dataloader.dataset = dict(
        type='RepeatDataset',
        times=3,
        dataset=dict(type='ConcatDataset', datasets=[inner, inner]),
    )
    assert [len(samples) for samples in guided_datasets(birds)] == [8, 8]


def test_config_without_masks_or_split_is_reported(birds):
    birds.val_dataloader.dataset.pipeline = [dict(type='LoadImageFromFile')]
    with pytest.raises(ValueError, match='no LoadActivationMask.*`val_dataloader`'):
        guided_datasets(birds, 'val')
    birds.test_dataloader = None
    with pytest.raises(ValueError, match='waterbirds.py.*no `test_dataloader`'):
        guided_datasets(birds, 'test')


def test_grey_images_have_three_channels(birds):
    for split in (birds.train_dataloader, birds.val_dataloader):
        split.dataset.pipeline[0].color_type = 'grayscale'
    assert guided_datasets(birds)[0].load_image(0).shape == (64, 96, 3)


def test_float_images_have_8_bits(birds):
    birds.train_dataloader.dataset.pipeline[0].to_float32 = True
    image = guided_datasets(birds)[0].load_image(0)
    assert image.dtype == np.uint8 and image.min() == 0 and image.max() == 255


# ---- draws of the whole pipeline -----------------------------------------------

PACK = dict(type='PackGuidedInputs')


@pytest.fixture
def root(tmp_path):
    """Image a, whose object lies in a corner, and image b, whose object is large."""
    corner, middle = np.zeros((2, *SHAPE), np.uint8)
    corner[:2, :2] = middle[10:30, 15:45] = 255
    for name, mask in (('a', corner), ('b', middle)):
        for folder, image in (
            ('images', np.zeros((*SHAPE, 3), np.uint8)),
            ('masks', mask),
        ):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(image).save(tmp_path / folder / f'{name}.png')
    lines = ['filename,label', 'images/a.png,x', 'images/b.png,y']
    (tmp_path / 'labels.csv').write_text('\n'.join(lines))
    return tmp_path


def validate(root, after, draws):
    """Findings by the image's name."""
    source = dict(type='PNGMasks', data_root=str(root), images='images', masks='masks')
    dataset = dict(
        type='CSVDataset',
        data_root=str(root),
        ann_file='labels.csv',
        classes=['x', 'y'],
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadActivationMask', source=source),
            *after,
        ],
    )
    cfg = Config(dict(train_dataloader=dict(dataset=dataset)))
    validator = MaskValidator(guided_datasets(cfg, draws=draws))
    return {finding.image[-5:]: finding for finding in map(validator, validator.places)}


def problems(finding):
    return [(problem.kind, problem.stops) for problem in finding.problems]


def crop(size):
    return dict(type='MaskAware', transform=dict(type='RandomCrop', crop_size=size))


def test_objects_that_crops_leave_out_are_reported(root):
    found = validate(root, [crop(20), PACK], draws=20)
    assert problems(found['a.png']) == [('vanishing', False)]
    assert found['a.png'].kept_fraction < 0.5 < found['b.png'].kept_fraction
    again = validate(root, [crop(20), PACK], draws=20)
    assert again['a.png'].kept_fraction == found['a.png'].kept_fraction


def test_draws_without_a_crop_keep_all_objects(root):
    assert validate(root, [PACK], draws=2)['a.png'].kept_fraction == 1
    assert validate(root, [PACK], draws=0)['a.png'].kept_fraction is None


def test_pipeline_that_leaves_masks_behind_is_reported(root):
    bare = dict(type='RandomCrop', crop_size=20)
    found = validate(root, [bare, PACK], draws=1)['a.png']
    assert problems(found) == [('pipeline', True)]
    assert 'wrap every earlier transform' in found.problems[0].reason


def test_draws_need_packed_samples(root):
    with pytest.raises(ValueError, match='ends with.*PackGuidedInputs'):
        validate(root, [], draws=1)


def test_refined_masks_are_counted_and_shown_as_training_has_them(birds, tmp_path):
    load = birds.train_dataloader.dataset.pipeline[1]
    validator = MaskValidator(guided_datasets(birds))
    plain = validator((0, 0))
    shape = validator.load_image((0, 0)).shape[:2]
    box = validator.load_mask((0, 0), shape)
    assert not plain.ways
    load.refine = dict(type='GrabCut', cache=str(tmp_path), most=0)  # never an outline
    validator = MaskValidator(guided_datasets(birds))
    finding = validator((0, 0))
    assert finding.ways == {'ellipse': 1}
    assert [problem.kind for problem in finding.problems] == ['coarse']
    ellipse = validator.load_mask((0, 0), shape)
    assert 0.7 < (ellipse & box).sum() / box.sum() < 0.85  # pi / 4
