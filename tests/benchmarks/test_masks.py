"""The benchmark's data is what it says."""

import numpy as np
from mmengine.registry import DefaultScope
from PIL import Image

from benchmarks import mask_pieces
from benchmarks.masks import PIPELINES, SHORT, SOURCES, guided, make_data, stock


def test_images_are_as_large_as_imagenet_s(tmp_path):
    make_data(tmp_path, 2)
    for i in range(2):
        image = tmp_path / 'images' / f'{i}.jpg'
        assert Image.open(image).size == (500, 375)
        assert 90_000 < image.stat().st_size < 130_000
        masks = [
            np.array(Image.open(tmp_path / folder / f'{i}.png')) > 0
            for folder in ('masks', 'one_bit')
        ]
        np.testing.assert_array_equal(*masks)
        assert 0.2 < masks[0].mean() < 0.5


def test_each_step_of_a_pipeline_has_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(mask_pieces, 'IMAGES', 2)
    monkeypatch.setattr(mask_pieces, 'ROUNDS', 1)
    make_data(tmp_path, 2)
    boxes = dict(SOURCES['boxes'], data_root=str(tmp_path))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        pipelines = {
            'without masks': stock(PIPELINES[SHORT]),
            'boxes': guided(PIPELINES[SHORT], boxes),
        }
        found = list(mask_pieces.pieces(pipelines, tmp_path))
    assert [one[:2] for one in found] == [
        ('without masks', False),
        ('boxes', False),
        ('boxes', True),
    ]
    assert list(found[0][2]) == [
        'LoadImageFromFile',
        'RandomResizedCrop',
        'RandomFlip',
        'PackInputs',
    ]
    assert len(found[1][2]) == 5 and min(found[1][2].values()) > 0
