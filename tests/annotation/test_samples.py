"""Images of folders and of configs' data sets."""
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from cfcn_plugin.annotation.samples import (
    FolderSamples,
    guided_datasets,
    image_shape,
)
from cfcn_plugin.masks import MaskError

CONFIG = Path(__file__).parents[2] / 'configs/cfcn_efficientnet-lite0_waterbirds.py'


@pytest.fixture
def birds(waterbirds_root, monkeypatch):
    monkeypatch.setenv('CFCN_DATA', str(waterbirds_root))
    return Config.fromfile(CONFIG)


def test_folder_gives_paths_and_names(tmp_path):
    (tmp_path / 'sub').mkdir()
    for name in ('b.jpg', 'sub/a.png'):
        Image.new('RGB', (6, 4)).save(tmp_path / name)
    samples = FolderSamples(tmp_path)
    assert samples.names == ['b.jpg', 'sub/a.png']
    assert samples[1] == dict(img_path=str(tmp_path / 'sub' / 'a.png'))


def test_config_gives_images_labels_and_what_loads_masks(birds, waterbirds_root):
    guided, = guided_datasets(birds)
    assert guided.samples.names[:2] == ['images/000.jpg', 'images/001.jpg']
    assert len(guided.samples) == 8
    assert guided.samples[1]['gt_label'] == 1
    assert guided.load.source.data_root == str(waterbirds_root / 'waterbirds100')
    assert [type(t).__name__ for t in guided.before] == ['LoadImageFromFile']
    assert guided.classes == ('landbird', 'waterbird')
    assert len(guided_datasets(birds, 'val')[0].samples) == 8


def test_data_sets_inside_wrappers_are_found(birds):
    inner = birds.train_dataloader.dataset
    birds.train_dataloader.dataset = dict(
        type='RepeatDataset', times=3, dataset=dict(
            type='ConcatDataset', datasets=[inner, inner]))
    assert [len(g.samples) for g in guided_datasets(birds)] == [8, 8]


def test_config_without_masks_or_split_is_told(birds):
    birds.val_dataloader.dataset.pipeline = [dict(type='LoadImageFromFile')]
    with pytest.raises(ValueError, match='no LoadActivationMask.*`val_dataloader`'):
        guided_datasets(birds, 'val')
    birds.test_dataloader = None
    with pytest.raises(ValueError, match='waterbirds.py.*no `test_dataloader`'):
        guided_datasets(birds, 'test')


@pytest.mark.parametrize('turn,shape', [(1, (4, 6)), (3, (4, 6)), (6, (6, 4))])
def test_shape_is_that_of_the_upright_image(tmp_path, turn, shape):
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.new('RGB', (6, 4)).save(tmp_path / 'a.jpg', exif=exif)
    assert image_shape(dict(img_path=tmp_path / 'a.jpg')) == shape


def test_shape_of_an_image_without_a_file():
    assert image_shape(dict(sample_idx=3, img=np.zeros((5, 7, 3)))) == (5, 7)


def test_image_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(b'no image')
    for name in ('a.jpg', 'nowhere.jpg'):
        with pytest.raises(MaskError, match=f'{name}.*cannot be read'):
            image_shape(dict(img_path=tmp_path / name))
