"""mmpretrain's inferencers take a guided config as they take its baseline."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpretrain.apis import (
    FeatureExtractor,
    ImageClassificationInferencer,
    ImageRetrievalInferencer,
    get_model,
)
from mmpretrain.registry import DATASETS
from PIL import Image

from cfcn_plugin import guide_config

pytestmark = pytest.mark.stacks
NETWORK = [
    dict(type='CFCNNet', filters=[4, 8], strides=2),
    dict(type='GlobalAveragePooling'),
]
CLASSIFIER = dict(
    type='ImageClassifier',
    backbone=NETWORK[0],
    neck=NETWORK[1],
    head=dict(type='LinearClsHead', num_classes=3, in_channels=8),
)
RETRIEVER = dict(
    type='ImageToImageRetriever',
    image_encoder=NETWORK,
    prototype='none.pth',
    head=dict(type='ArcFaceClsHead', num_classes=3, in_channels=8),
)


def write(file, value, size=(20, 24, 3)):
    file.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full(size, value, np.uint8)).save(file)


@pytest.fixture
def root(tmp_path):
    """A data set of one image with its mask, and a new image in two places."""
    write(tmp_path / 'images' / 'a.png', 50)
    write(tmp_path / 'masks' / 'a.png', 255, (20, 24))
    write(tmp_path / 'images' / 'new.png', 99)
    write(tmp_path / 'new.png', 99)
    return tmp_path


def configs(root, model, loader='LoadImageFromFile'):
    """A stock config and the guided one."""
    data = dict(
        batch_size=2,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(
            type='CustomDataset',
            data_root=str(root),
            pipeline=[
                dict(type=loader),
                dict(type='Resize', scale=16),
                dict(type='PackInputs'),
            ],
        ),
    )
    cfg = Config(
        dict(
            default_scope='mmpretrain',
            model=model,
            train_dataloader=data,
            test_dataloader=data,
            test_evaluator=dict(type='Accuracy'),
            data_preprocessor=dict(num_classes=3, mean=[99.0] * 3, std=[50.0] * 3),
        )
    )
    masks = dict(type='PNGMasks', masks='masks', images='images', data_root=str(root))
    return cfg, guide_config(cfg, masks)


def models(*args, **kwargs):
    """The baseline and the guided model, with equal weights."""
    stock, guided = (get_model(cfg, False) for cfg in configs(*args, **kwargs))
    guided.load_state_dict(stock.state_dict())
    return stock, guided


@pytest.mark.parametrize('place', ['images/a.png', 'images/new.png', 'new.png', None])
@pytest.mark.parametrize('loader', ['LoadImageFromFile', 'LoadImage'])
def test_a_classifier_predicts_and_extracts_as_its_baseline(root, place, loader):
    image = np.zeros((9, 9, 3), np.uint8) if place is None else str(root / place)
    stock, guided = models(root, CLASSIFIER, loader)
    ours, theirs = (
        ImageClassificationInferencer(model)([image, image])
        for model in (guided, stock)
    )
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one['pred_scores'], other['pred_scores'])
    ours, theirs = (FeatureExtractor(model)(image) for model in (guided, stock))
    torch.testing.assert_close(ours, theirs)


def test_a_retriever_finds_as_its_baseline(root):
    images = [str(root / name) for name in ('new.png', 'images/a.png')]
    ours, theirs = (
        ImageRetrievalInferencer(model, prototype=images)(images, topk=2)
        for model in reversed(models(root, RETRIEVER))
    )
    assert ours == theirs and len(ours) == 2


def test_a_validation_without_its_masks_is_still_an_error(root):
    write(root / 'images' / 'cat' / 'b.png', 10)
    _, guided = configs(root, CLASSIFIER)
    dataset = DATASETS.build(
        dict(guided.test_dataloader.dataset, data_prefix='images', with_label=True)
    )
    with pytest.raises(ValueError, match="cat/b.png' has no mask"):
        [dataset[index] for index in range(len(dataset))]
