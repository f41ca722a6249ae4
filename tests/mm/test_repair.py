"""Repairing a checkpoint: the same model, other weights of its last layer."""

import copy
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS
from PIL import Image

from cfcn_plugin import guide_config, unguide_config
from cfcn_plugin.mm.repair import repair_checkpoint

CLASSES = ('cow', 'dog')


def write_images(root, count=12):
    """Objects and backgrounds whose colours both tell the class."""
    generator = np.random.default_rng(0)
    for label, name in enumerate(CLASSES):
        for folder in ('images', 'masks'):
            (root / folder / name).mkdir(parents=True)
        for number in range(count):
            noise = generator.normal(0, 10, (32, 32, 3))
            mask = np.zeros((32, 32), np.uint8)
            top, left = generator.integers(2, 14, 2)
            mask[top : top + 14, left : left + 14] = 255
            background, thing = np.array(
                [[[60, 160, 60], [60, 60, 160]], [[200, 60, 60], [60, 200, 200]]]
            )[:, label]
            pixels = np.where(mask[..., None] > 0, thing, background) + noise
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(
                root / f'images/{name}/{number}.png'
            )
            Image.fromarray(mask).save(root / f'masks/{name}/{number}.png')


def stock_config(root, head='LinearClsHead'):
    def loader(pipeline):
        return dict(
            batch_size=4,
            num_workers=0,
            dataset=dict(
                type='CustomDataset',
                data_root=str(root),
                data_prefix='images',
                pipeline=pipeline,
            ),
            sampler=dict(type='DefaultSampler', shuffle=False),
        )

    resize = dict(type='Resize', scale=(32, 32))
    return Config(
        dict(
            default_scope='mmpretrain',
            model=dict(
                type='ImageClassifier',
                backbone=dict(
                    type='ResNet',
                    depth=18,
                    num_stages=1,
                    out_indices=(0,),
                    strides=(1,),
                    dilations=(1,),
                ),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type=head, num_classes=2, in_channels=64),
            ),
            data_preprocessor=dict(num_classes=2, mean=[128] * 3, std=[64] * 3),
            train_dataloader=loader(
                [
                    dict(type='LoadImageFromFile'),
                    dict(type='RandomFlip', prob=0.5),
                    resize,
                    dict(type='PackInputs'),
                ]
            ),
            test_dataloader=loader(
                [dict(type='LoadImageFromFile'), resize, dict(type='PackInputs')]
            ),
            test_evaluator=[dict(type='Accuracy')],
        )
    )


@pytest.fixture
def trained(tmp_path):
    """A guided config, and a checkpoint of its stock model."""
    write_images(tmp_path)
    cfg = guide_config(
        stock_config(tmp_path),
        masks=dict(
            type='PNGMasks', data_root=str(tmp_path), images='images', masks='masks'
        ),
        splits=('train',),
    )
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(unguide_config(cfg).model))
    model.init_weights()
    path = tmp_path / 'trained.pth'
    torch.save(
        dict(
            state_dict=model.state_dict(), meta=dict(dataset_meta=dict(classes=CLASSES))
        ),
        path,
    )
    return cfg, path


def state(path):
    return torch.load(path, weights_only=True)['state_dict']


def test_only_the_last_layer_changes_and_a_stock_model_takes_it(trained, tmp_path):
    cfg, path = trained
    out = tmp_path / 'new' / 'repaired.pth'
    report = repair_checkpoint(cfg, path, out)
    before, after = state(path), state(out)
    assert list(before) == list(after)
    assert {key for key in before if not torch.equal(before[key], after[key])} == {
        'head.fc.weight',
        'head.fc.bias',
    }
    MODELS.build(unguide_config(cfg).model).load_state_dict(after)
    content = torch.load(out, weights_only=True)
    assert content['meta']['dataset_meta']['classes'] == CLASSES
    assert report.images == 24
    assert report.swapped_after > 0.9 > report.swapped_before


def test_without_an_output_the_report_is_the_same_and_nothing_is_written(
    trained, tmp_path
):
    cfg, path = trained
    names = sorted(tmp_path.iterdir())
    report = repair_checkpoint(cfg, path)
    assert sorted(tmp_path.iterdir()) == names
    assert report == repair_checkpoint(cfg, path, tmp_path / 'new.pth')


def test_images_that_are_not_chosen_are_not_read(trained, tmp_path):
    cfg, path = trained
    chosen = [f'images/{name}/{i}.png' for name in CLASSES for i in range(6)]
    (tmp_path / 'few.txt').write_text('\n'.join(chosen))
    cfg.train_dataloader.dataset.pipeline[1].image_list = str(tmp_path / 'few.txt')
    (tmp_path / 'images/cow/9.png').write_bytes(b'')
    assert repair_checkpoint(cfg, path).images == 12


@pytest.mark.parametrize(
    'wrapper',
    [
        dict(type='RepeatDataset', times=2),
        dict(type='ClassBalancedDataset', oversample_thr=1),
    ],
)
def test_an_image_that_the_data_set_repeats_counts_once(trained, wrapper):
    cfg, path = trained
    expected = repair_checkpoint(cfg, path)
    cfg.train_dataloader.dataset = dict(wrapper, dataset=cfg.train_dataloader.dataset)
    report = repair_checkpoint(cfg, path)
    assert (report.images, report.swapped_before) == (24, expected.swapped_before)


def test_a_checkpoint_with_the_classes_in_another_order_is_an_error(trained):
    cfg, path = trained
    content = torch.load(path, weights_only=True)
    content['meta']['dataset_meta']['classes'] = CLASSES[::-1]
    torch.save(content, path)
    with pytest.raises(ValueError, match="'cow' has the label 1 in training and .* 0"):
        repair_checkpoint(cfg, path)


def test_a_head_with_more_classes_than_the_data_is_told_before_the_network_runs(
    trained, tmp_path
):
    cfg, path = trained
    cfg.model.head.num_classes = 3
    model = MODELS.build(copy.deepcopy(unguide_config(cfg).model))
    torch.save(dict(state_dict=model.state_dict()), path)
    with pytest.raises(ValueError, match=r'head\.num_classes=3, CustomDataset has 2'):
        repair_checkpoint(cfg, path)


@pytest.fixture
def several_labels(tmp_path):
    """The same of a model for several labels."""
    write_images(tmp_path)
    cfg = guide_config(
        stock_config(tmp_path, 'MultiLabelLinearClsHead'),
        masks=dict(
            type='PNGMasks', data_root=str(tmp_path), images='images', masks='masks'
        ),
        splits=('train',),
    )
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(unguide_config(cfg).model))
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'trained.pth')
    return cfg, tmp_path / 'trained.pth'


def test_several_labels_are_repaired(several_labels):
    assert repair_checkpoint(*several_labels).swapped_after > 0.9


def test_a_label_that_each_image_has_is_named_before_the_network_runs(
    several_labels, tmp_path
):
    cfg, path = several_labels
    images = [
        dict(img_path=f'{name}/{i}.png', gt_label=labels)
        for name, labels in (('cow', [0]), ('dog', [0, 1]))
        for i in range(12)
    ]
    content = dict(metainfo=dict(classes=CLASSES), data_list=images)
    (tmp_path / 'labels.json').write_text(json.dumps(content))
    cfg.train_dataloader.dataset.update(
        type='MultiLabelDataset', ann_file='labels.json'
    )
    with pytest.raises(ValueError, match='with a mask has the classes cow; give masks'):
        repair_checkpoint(cfg, path)


def test_an_output_that_exists_is_not_overwritten(trained):
    cfg, path = trained
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r'trained\.pth'):
        repair_checkpoint(cfg, path, path)
    assert path.read_bytes() == before


def test_a_config_without_masks_is_an_error_that_names_the_option(trained):
    cfg, path = trained
    with pytest.raises(ValueError, match=r'has 0 LoadActivationMask.*--guide'):
        repair_checkpoint(unguide_config(cfg), path)


def test_no_guided_image_is_an_error(trained, tmp_path):
    cfg, path = trained
    cfg.train_dataloader.dataset.pipeline[1].fraction = 0.0
    with pytest.raises(ValueError, match='no training image has a mask'):
        repair_checkpoint(cfg, path)


def test_a_checkpoint_of_another_model_is_an_error(trained):
    cfg, path = trained
    cfg.model.head.num_classes = 3
    with pytest.raises(RuntimeError, match='size mismatch'):
        repair_checkpoint(cfg, path)


@pytest.fixture
def tool(safe_loading, run_tool, monkeypatch, tmp_path):
    """The tool in the folder of the data."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run_tool(
        'repair.py', *arguments, '--workers', '0', '--device', 'cpu'
    )


def test_the_tool_repairs_by_one_command(tool, trained, capsys):
    cfg, path = trained
    cfg.dump('config.py')
    tool('config.py', 'trained.pth', '--out', 'new.pth')
    said = capsys.readouterr().out
    assert 'accuracy on other backgrounds' in said
    assert said.endswith('wrote new.pth\n')
    assert list(state('new.pth')) == list(state(path))


@pytest.mark.parametrize(
    'options,error,message',
    [
        ([], SystemExit, ''),
        (['--out', 'new.pth', '--dry-run'], SystemExit, ''),
        (
            ['--out', 'trained.pth'],
            FileExistsError,
            "trained.pth' exists and is not overwritten",
        ),
        (
            ['--out', 'no/new.pth'],
            FileNotFoundError,
            "no/new.pth' cannot be written: make its folder",
        ),
        (
            ['--dry-run', '--memory', '1e-6'],
            ValueError,
            'and `memory` allows 0.001 MiB: take',
        ),
        (['--dry-run', '--views', '0'], ValueError, '`views` must be 1 or more'),
        (
            ['--dry-run', '--cfg-options', 'model.head.num_classes=3'],
            RuntimeError,
            "(?s)checkpoint 'trained.pth'.*size mismatch for head.fc.*Use the config",
        ),
    ],
)
def test_the_tool_tells_what_is_wrong(
    tool, trained, tmp_path, capsys, options, error, message
):
    cfg, path = trained
    cfg.dump(tmp_path / 'config.py')
    before = path.read_bytes()
    with pytest.raises(error, match=message) as raised:
        tool('config.py', 'trained.pth', *options)
    if error is SystemExit:
        assert raised.value.code == 2
        assert 'give either --out FILE or --dry-run' in capsys.readouterr().err
    assert path.read_bytes() == before
    assert not (tmp_path / 'no').exists()


def test_a_class_without_masks_is_named_before_the_network_runs(trained, tmp_path):
    cfg, path = trained
    (tmp_path / 'cows.txt').write_text(
        '\n'.join(f'images/cow/{i}.png' for i in range(6))
    )
    cfg.train_dataloader.dataset.pipeline[1].image_list = str(tmp_path / 'cows.txt')
    (tmp_path / 'images/cow/0.png').write_bytes(b'')
    with pytest.raises(ValueError, match='1 of 2 classes has a mask: dog; the last'):
        repair_checkpoint(cfg, path)


def test_masks_of_the_whole_image_are_an_error(trained, tmp_path):
    cfg, path = trained
    for file in tmp_path.glob('masks/*/*.png'):
        Image.new('L', (32, 32), 255).save(file)
    with pytest.raises(ValueError, match='each of the 24 masks covers its whole image'):
        repair_checkpoint(cfg, path)


def test_bfloat16_finds_about_the_same(trained):
    cfg, path = trained
    report = repair_checkpoint(cfg, path, amp=True)
    assert report.swapped_after > 0.9


TIMM = dict(
    type='TimmClassifier',
    model_name='test_resnet',
    num_classes=2,
    data_preprocessor=dict(num_classes=2, mean=[128] * 3, std=[64] * 3),
)


@pytest.mark.parametrize('timm', [False, True])
def test_a_stock_config_is_repaired_by_a_fragment_for_the_stock_model(
    tool, tmp_path, timm
):
    write_images(tmp_path)
    cfg = stock_config(tmp_path)
    if timm:
        cfg.model = TIMM
    cfg.dump(tmp_path / 'stock.py')
    (tmp_path / 'fragment.py').write_text(
        f"masks = dict(type='PNGMasks', data_root={str(tmp_path)!r}, images='images', "
        "masks='masks')\nsplits = ('train', )\n"
    )
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(cfg.model))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'trained.pth')
    tool('stock.py', 'trained.pth', '--guide', 'fragment.py', '--out', 'new.pth')
    MODELS.build(Config.fromfile('stock.py').model).load_state_dict(state('new.pth'))
