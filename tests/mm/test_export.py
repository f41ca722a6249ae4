"""An exported model is a stock model with the same predictions."""

import copy
import json
import subprocess
import sys

import pytest
import timm
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS

from cfcn_plugin.mm import timm_preprocessing
from cfcn_plugin.mm.export import export_mmpretrain, export_timm, timm_arguments

pytestmark = pytest.mark.stacks
BACKBONE = dict(type='GuidedTIMMBackbone', model_name='resnet10t', pretrained=False)


def config(**changes):
    model = dict(
        type='GuidedClassifier',
        data_preprocessor=dict(num_classes=3, mean=[0] * 3, std=[255] * 3),
        backbone=BACKBONE,
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=3, in_channels=None),
        guidance=dict(type='CausalFocusLoss'),
        feature_hook=dict(type='FeatureHook'),
    )
    return Config(
        dict(
            custom_imports=dict(imports=['cfcn_plugin.mm'], allow_failed_imports=False),
            default_scope='mmpretrain',
            model={**model, **changes},
            test_dataloader=dict(
                dataset=dict(
                    type='CustomDataset',
                    pipeline=[
                        dict(type='LoadImageFromFile'),
                        dict(type='LoadActivationMask', source=dict(type='PNGMasks')),
                        dict(type='MaskAware', transform=dict(type='Resize', scale=32)),
                        dict(type='PackGuidedInputs'),
                    ],
                )
            ),
            test_evaluator=[dict(type='Accuracy'), dict(type='FocusMetric')],
            custom_hooks=[dict(type='GuidanceCheckHook')],
        )
    )


@pytest.fixture
def trained(tmp_path):
    """A checkpoint with statistics that differ from the start's."""

    def make(cfg):
        torch.manual_seed(0)
        model = MODELS.build(copy.deepcopy(cfg.model))
        model.train()
        with torch.no_grad():
            first = next(p for p in model.parameters() if p.dim() == 4)
            model(torch.rand(4, first.shape[1], 64, 64))
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        path = tmp_path / 'trained.pth'
        torch.save(dict(state_dict=model.state_dict(), optimizer={}), path)
        return model, str(path)

    return make


# what a stranger runs, in a process where cfcn_plugin cannot be imported
WITHOUT_PLUGIN = """
import sys
sys.modules['cfcn_plugin.mm'] = None
import timm, torch
images = torch.load('images.pt')
of_timm = timm.create_model(**{arguments}, checkpoint_path='of_timm.pth')
assert 'mmengine' not in sys.modules
from mmpretrain import get_model
of_mmpretrain = get_model('of_mm.py', pretrained='of_mm.pth')
with torch.no_grad():
    torch.save([model.eval()(images) for model in (of_timm, of_mmpretrain)], 'out.pt')
"""


def test_exported_models_answer_the_same_without_the_plugin(trained, tmp_path):
    cfg = config()
    model, checkpoint = trained(cfg)
    files = [
        *export_timm(cfg, checkpoint, tmp_path / 'of_timm'),
        *export_mmpretrain(cfg, checkpoint, tmp_path / 'of_mm'),
    ]
    assert all(f.exists() for f in files)
    images = torch.rand(2, 3, 64, 64)
    torch.save(images, tmp_path / 'images.pt')
    done = subprocess.run(
        [sys.executable, '-c', WITHOUT_PLUGIN.format(arguments=timm_arguments(cfg))],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with torch.no_grad():
        expected = model.eval()(images)
    for answer in torch.load(tmp_path / 'out.pt'):
        torch.testing.assert_close(answer, expected, rtol=1e-6, atol=1e-6)
    for file in files:
        if file.suffix == '.pth':
            torch.load(file, weights_only=True)


@pytest.mark.parametrize(
    'name',
    [
        'tf_efficientnet_lite0',
        'vit_tiny_patch16_224',
        pytest.param('swin_tiny_patch4_window7_224', marks=pytest.mark.slow),
    ],
)
def test_other_backbones_export_to_timm(name, trained, tmp_path):
    cfg = config(backbone={**BACKBONE, 'model_name': name, 'img_size': 64})
    _, checkpoint = trained(cfg)
    assert export_timm(cfg, checkpoint, tmp_path / 'e')[0].is_file()


@pytest.mark.parametrize('export', [export_timm, export_mmpretrain])
def test_model_of_one_channel_is_exported(export, trained, tmp_path):
    cfg = config(
        backbone={**BACKBONE, 'in_channels': 1},
        data_preprocessor=dict(num_classes=3, mean=[0], std=[255]),
    )
    _, checkpoint = trained(cfg)
    assert export(cfg, checkpoint, tmp_path / 'e')[0].is_file()


def test_whole_timm_model_is_exported_as_what_it_is(trained, tmp_path):
    cfg = config()
    cfg.model = dict(
        type='GuidedTimmClassifier',
        model_name='resnet10t',
        num_classes=3,
        loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1),
        guidance=dict(type='CausalFocusLoss'),
    )
    model, checkpoint = trained(cfg)
    path, _ = export_timm(cfg, checkpoint, tmp_path / 'e')
    assert timm_arguments(cfg) == dict(model_name='resnet10t', num_classes=3)
    stock = timm.create_model(**timm_arguments(cfg), checkpoint_path=str(path))
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(
            stock.eval()(images), model.eval().model(images), rtol=0, atol=0
        )


@pytest.mark.parametrize('name', ['mobilenetv3_small_050', 'convnext_atto'])
def test_a_model_that_timm_pools_elsewhere_is_refused(name, trained, tmp_path):
    cfg = config(backbone={**BACKBONE, 'model_name': name})
    _, checkpoint = trained(cfg)
    with pytest.raises(ValueError, match='logits of .* differ.*--to mmpretrain'):
        export_timm(cfg, checkpoint, tmp_path / 'e')
    assert not (tmp_path / 'e.pth').exists()


def test_tokens_into_stock_pooling_are_refused_for_mmpretrain(trained, tmp_path):
    cfg = config(
        backbone={**BACKBONE, 'model_name': 'vit_tiny_patch16_224', 'img_size': 64}
    )
    _, checkpoint = trained(cfg)
    with pytest.raises(ValueError, match='--to timm'):
        export_mmpretrain(cfg, checkpoint, tmp_path / 'e')


def test_a_head_of_ours_is_refused(trained, tmp_path):
    cfg = config(neck=None, head=dict(type='CausalFocusHead', num_classes=3))
    path = tmp_path / 'c.pth'
    torch.save(
        dict(state_dict=MODELS.build(copy.deepcopy(cfg.model)).state_dict()), path
    )
    with pytest.raises(ValueError, match='not a stock head.*onnx'):
        export_mmpretrain(cfg, str(path), tmp_path / 'e')
    with pytest.raises(ValueError, match='LinearClsHead'):
        export_timm(cfg, str(path), tmp_path / 'e')


def test_nothing_is_overwritten(trained, tmp_path):
    cfg = config()
    _, checkpoint = trained(cfg)
    (tmp_path / 'e.pth').write_text('mine')
    with pytest.raises(FileExistsError, match='not overwritten'):
        export_mmpretrain(cfg, checkpoint, tmp_path / 'e')
    assert (tmp_path / 'e.pth').read_text() == 'mine'


def test_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pth'):
        export_timm(config(), str(tmp_path / 'none.pth'), tmp_path / 'e')


@pytest.mark.parametrize(
    'steps, expected',
    [
        (
            [
                dict(
                    type='ResizeEdge', scale=256, edge='short', interpolation='bicubic'
                ),
                dict(type='CenterCrop', crop_size=224),
            ],
            dict(
                input_size=(3, 224, 224),
                crop_pct=0.875,
                crop_mode='center',
                interpolation='bicubic',
            ),
        ),
        (
            [dict(type='Resize', scale=(48, 32))],
            dict(
                input_size=(3, 32, 48),
                crop_pct=1.0,
                crop_mode='squash',
                interpolation='bilinear',
            ),
        ),
        (
            [
                dict(
                    type='EfficientNetCenterCrop', crop_size=96, efficientnet_style=True
                )
            ],
            dict(
                input_size=(3, 96, 96),
                crop_pct=0.75,
                crop_mode='center',
                interpolation='bilinear',
            ),
        ),
    ],
)
def test_timm_finds_preprocessing_and_classes_in_the_exported_folder(
    steps, expected, trained, tmp_path
):
    cfg = config(
        data_preprocessor=dict(
            num_classes=3, mean=[102, 51, 0], std=[51, 127.5, 255], to_rgb=True
        )
    )
    cfg.test_dataloader.dataset.pipeline[2:3] = [
        dict(type='MaskAware', transform=step) for step in steps
    ]
    cfg.test_dataloader.dataset.metainfo = dict(classes=['cat', 'dog', 'cow'])
    model, checkpoint = trained(cfg)
    saved = torch.load(checkpoint)
    torch.save(
        {**saved, 'meta': dict(dataset_meta=dict(classes=['cat', 'dog', 'cow']))},
        checkpoint,
    )
    _, folder = export_timm(cfg, checkpoint, tmp_path / 'e')
    found = timm.create_model(f'local-dir:{folder}', pretrained=True)
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(found.eval()(images), model.eval()(images))
    known = timm.data.resolve_model_data_config(found)
    assert {key: known[key] for key in expected} == expected
    torch.testing.assert_close(known['mean'], (0.4, 0.2, 0.0))
    torch.testing.assert_close(known['std'], (0.2, 0.5, 1.0))
    assert json.loads((folder / 'config.json').read_text())['label_names'] == [
        'cat',
        'dog',
        'cow',
    ]


def test_images_that_timm_does_not_make_are_told_of(trained, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(
        timm_preprocessing, 'print_log', lambda text, **options: told.append(text)
    )
    cfg = config()
    cfg.test_dataloader.dataset.pipeline[2:3] = []
    _, checkpoint = trained(cfg)
    export_timm(cfg, checkpoint, tmp_path / 'e')
    assert 'no resize' in told[0] and 'BGR' in told[1]
