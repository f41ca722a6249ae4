"""IDRiD made smaller: no lesion vanishes, labels are what there are masks of."""

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.data.public import idrid
from cfcn_plugin.data.public.idrid import export_idrid

MASKS = 'A. Segmentation/2. All Segmentation Groundtruths'


@pytest.fixture(scope='module')
def root(idrid_source, tmp_path_factory):
    return export_idrid(idrid_source, tmp_path_factory.mktemp('data') / 'idrid')


def test_labels_are_what_there_are_masks_of(root):
    with (root / 'labels.csv').open(newline='') as stream:
        header, *rows = csv.reader(stream)
    assert header == [
        'filename',
        'split',
        'label_MA',
        'label_HE',
        'label_EX',
        'label_SE',
        'label_OD',
    ]
    assert rows[:2] == [
        ['images/IDRiD_00.png', 'train', '0', '1', '1', '0', '0'],
        ['images/IDRiD_01.png', 'train', '0', '1', '1', '1', '0'],
    ]
    assert [row[1] for row in rows] == ['train'] * 4 + ['test'] * 2
    assert not (root / 'masks/IDRiD_00_SE.png').exists()


def test_images_and_masks_are_250_wide(root):
    for name in ('images/IDRiD_00', 'masks/IDRiD_00_HE'):
        assert Image.open(root / f'{name}.png').size == (250, 170)


def test_a_single_lesion_pixel_stays_and_half_a_disc_is_its_half(
    idrid_source, tmp_path, monkeypatch
):
    monkeypatch.setattr(idrid, 'WIDTH', 125)
    shutil.copytree(idrid_source, tmp_path / 'in')
    lesion = np.zeros((170, 250), np.uint8)
    lesion[101, 201] = 1
    disc = np.zeros((170, 250), np.uint8)
    disc[100:105, 80:82] = 1  # two cells and a half
    for kind, folder, mask in (
        ('MA', '1. Microaneurysms', lesion),
        ('OD', '5. Optic Disc', disc),
    ):
        file = tmp_path / 'in' / MASKS / 'a. Training Set' / folder
        file.mkdir(parents=True)
        Image.fromarray(mask).save(file / f'IDRiD_00_{kind}.tif')
    root = export_idrid(tmp_path / 'in/A. Segmentation', tmp_path / 'out')
    found = {
        kind: np.argwhere(
            np.asarray(Image.open(root / f'masks/IDRiD_00_{kind}.png'))
        ).tolist()
        for kind in ('MA', 'OD')
    }
    assert found == dict(MA=[[50, 100]], OD=[[50, 40], [51, 40], [52, 40]])


def test_other_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no images.*'a. Training Set'"):
        export_idrid(tmp_path, tmp_path / 'out')
