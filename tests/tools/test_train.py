"""The launch scripts on real files: train, test, resume, two processes, swapping."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest
import torch
from mmengine.config import Config
from PIL import Image

from cfcn_plugin.folder_lock import lock_folder

pytestmark = pytest.mark.stacks
ROOT = Path(__file__).parents[2]
SMALL = [
    'model.backbone.pretrained=False',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'test_dataloader.num_workers=0',
    'train_dataloader.batch_size=4',
    'randomness.seed=0',
    'train_cfg.max_epochs=1',
    'default_hooks.logger.interval=1',
]


def scalars(work_dir):
    log = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))[-1]
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.fixture(scope='module')
def train_small(run_tool):
    """Train a config with the options ``SMALL`` and more."""

    def train(config, work_dir, *options, data):
        config = ROOT / 'configs' / config
        given = ('--work-dir', work_dir, '--cfg-options', *SMALL, *options)
        run_tool('train.py', config, *given, data=data)

    return train


@pytest.fixture(scope='module')
def pets_run(train_small, pets_root, tmp_path_factory):
    """cfcn_resnet_pets.py, of a smaller network, trained on a generated tree."""
    work_dir = tmp_path_factory.mktemp('pets')
    train_small(
        'cfcn_resnet_pets.py',
        work_dir,
        'model.backbone.model_name=resnet10t',
        data=pets_root,
    )
    return work_dir


def test_pets_trains_with_masks_and_measures_focus(pets_run):
    first, *_, last = scalars(pets_run)
    assert first['guided_fraction'] > 0 and first['loss_focus'] > 0
    total = first['loss'] + first['loss_focus']
    assert first['total'] == pytest.approx(total, rel=1e-4)
    assert last['focus/guided'] == 4 and 0 <= last['focus/ratio'] <= 1
    assert {'accuracy/top1', 'single-label/f1-score', 'auroc/macro'} <= set(last)


def test_dumped_config_has_the_resolved_width(pets_run):
    dumped = Config.fromfile(pets_run / 'cfcn_resnet_pets.py')
    assert dumped.model.head.in_channels == 512


def test_resume_continues_and_test_repeats_the_validation(
    run_tool, pets_run, pets_root, tmp_path
):
    config = pets_run / 'cfcn_resnet_pets.py'
    run_tool(
        'train.py',
        config,
        '--work-dir',
        pets_run,
        '--resume',
        '--cfg-options',
        'train_cfg.max_epochs=2',
        data=pets_root,
    )
    last = scalars(pets_run)[-1]
    assert last['step'] == 2
    out = tmp_path / 'metrics.json'
    run_tool(
        'test.py',
        config,
        pets_run / 'epoch_2.pth',
        '--work-dir',
        tmp_path,
        '--out',
        out,
        '--out-item',
        'metrics',
        data=pets_root,
    )
    metrics = json.loads(out.read_text())
    for key in ('focus/ratio', 'accuracy/top1'):
        assert metrics[key] == pytest.approx(last[key], abs=1e-4)


@pytest.mark.slow
def test_some_breeds_train_although_files_are_odd(train_small, pets_root, tmp_path):
    copytree(pets_root, tmp_path / 'data')
    root = tmp_path / 'data/oxford-iiit-pet'
    Image.new('RGBA', (80, 60), 'red').save(
        root / 'images/Abyssinian_0.jpg', format='PNG'
    )
    Image.new('P', (80, 60)).save(root / 'images/Bengal_2.jpg', format='GIF')
    Image.new('L', (80, 60), 2).save(root / 'annotations/trimaps/Bengal_2.png')
    lists = {name: root / f'annotations/{name}.txt' for name in ('trainval', 'test')}
    for file in lists.values():  # the third column of numbers is Bengal's here
        file.write_text(file.read_text().replace(' 3 1 2', ' 6 1 2'))
    train_small(
        'cfcn_resnet_pets.py',
        tmp_path,
        'model.backbone.model_name=resnet10t',
        *(
            f'{split}_dataloader.dataset.classes=Abyssinian,Bengal'
            for split in ('train', 'val', 'test')
        ),
        *(f'model.{part}.num_classes=2' for part in ('head', 'data_preprocessor')),
        'train_dataloader.dataset.pipeline.1.empty=unguided',
        data=tmp_path / 'data',
    )
    *_, first, last = scalars(tmp_path)
    assert first['guided_fraction'] == 0.75
    assert last['focus/guided'] == 2


@pytest.mark.slow
def test_species_config_has_two_classes_and_trains_in_mixed_precision(
    run_tool, pets_root, tmp_path
):
    run_tool(
        'train.py',
        ROOT / 'configs/cfcn_resnet_pets-species.py',
        '--work-dir',
        tmp_path,
        '--amp',
        '--cfg-options',
        *SMALL,
        'model.backbone.model_name=resnet10t',
        data=pets_root,
    )
    weight = torch.load(tmp_path / 'epoch_1.pth', weights_only=False)['state_dict']
    assert weight['head.fc.weight'].shape[0] == 2
    dumped = Config.fromfile(tmp_path / 'cfcn_resnet_pets-species.py')
    assert dumped.optim_wrapper.type == 'CPUAmpOptimWrapper'


@pytest.mark.parametrize(
    'name',
    [
        'vit_tiny_patch16_224',
        'mobilenetv3_small_050',
        pytest.param('convnext_atto', marks=pytest.mark.slow),
        pytest.param('swin_tiny_patch4_window7_224', marks=pytest.mark.slow),
    ],
)
def test_swapping_the_backbone_is_one_line(
    train_small, name, waterbirds_root, tmp_path
):
    train_small(
        'cfcn_efficientnet-lite0_waterbirds.py',
        tmp_path,
        'train_cfg.val_interval=1',
        f'model.backbone.model_name={name}',
        data=waterbirds_root,
    )
    last = scalars(tmp_path)[-1]
    groups = {'landbird-land', 'landbird-water', 'waterbird-land', 'waterbird-water'}
    assert {f'group/{g}' for g in (*groups, 'mean', 'worst')} <= set(last)


def train_on_two(data, work_dir, *options):
    """Waterbirds by two processes; what they saw last."""
    done = subprocess.run(
        [
            str(ROOT / 'tools/dist_train.sh'),
            str(ROOT / 'configs/cfcn_efficientnet-lite0_waterbirds.py'),
            '2',
            '--work-dir',
            str(work_dir),
            '--cfg-options',
            *SMALL,
            'train_cfg.val_interval=1',
            'model.backbone.model_name=test_resnet',
            'model.guidance.reduction=guided',
            *options,
        ],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            'CFCN_DATA': str(data),
            'OMP_NUM_THREADS': '1',
            'PYTHON': sys.executable,
            'PYTHONFAULTHANDLER': '1',
        },
    )
    assert done.returncode == 0, done.stderr[-8000:]
    for noise in ('Exception ignored', 'OneDL', 'mmcv-lite'):
        assert noise not in done.stderr + done.stdout
    return scalars(work_dir)[-1]


def test_two_processes_train_as_one_command(waterbirds_root, tmp_path):
    assert train_on_two(waterbirds_root, tmp_path)['focus/guided'] == 8


@pytest.mark.slow
def test_fully_sharded_run_leaves_a_checkpoint_for_one_process(
    run_tool, waterbirds_root, tmp_path
):
    last = train_on_two(
        waterbirds_root,
        tmp_path,
        'runner_type=FlexibleRunner',
        'strategy.type=FSDPStrategy',
        'strategy.state_dict_cfg=full',
    )
    out = tmp_path / 'metrics.json'
    run_tool(
        'test.py',
        ROOT / 'configs/cfcn_efficientnet-lite0_waterbirds.py',
        tmp_path / 'epoch_1.pth',
        '--work-dir',
        tmp_path / 'test',
        '--out',
        out,
        '--out-item',
        'metrics',
        '--cfg-options',
        *SMALL,
        'model.backbone.model_name=test_resnet',
        'test_dataloader.dataset.split=val',
        data=waterbirds_root,
    )
    found = json.loads(out.read_text())
    assert found['focus/ratio'] == pytest.approx(last['focus/ratio'], abs=1e-4)


@pytest.mark.parametrize(
    'device, wrapper',
    [
        ('cpu', dict(type='CPUAmpOptimWrapper')),
        ('cuda', dict(type='AmpOptimWrapper', loss_scale='dynamic')),
    ],
)
def test_mixed_precision_is_bfloat16_without_a_gpu(monkeypatch, device, wrapper):
    import train

    monkeypatch.setattr(train, 'get_device', lambda: device)
    monkeypatch.setattr(sys, 'argv', ['train.py', 'c.py', '--amp'])
    given = dict(type='AmpOptimWrapper', loss_scale='dynamic')
    cfg = train.merge_args(Config(dict(optim_wrapper=given)), train.parse_args())
    assert cfg.optim_wrapper == wrapper


@pytest.mark.parametrize('has_checkpoint', [False, True])
def test_resume_begins_as_the_config_says_where_nothing_is_saved(
    monkeypatch, tmp_path, has_checkpoint
):
    import train  # of tools/

    config = tmp_path / 'c.py'
    config.write_text("load_from = 'pretrained.pth'\n")
    if has_checkpoint:
        (tmp_path / 'epoch_1.pth').write_bytes(b'')
    monkeypatch.setattr(
        sys,
        'argv',
        [
            'train.py',
            str(config),
            '--resume',
            '--exact-resume',
            '--work-dir',
            str(tmp_path),
        ],
    )
    cfg = train.merge_args(Config.fromfile(config), train.parse_args())
    assert cfg.get('resume', False) is has_checkpoint
    assert cfg.load_from == (None if has_checkpoint else 'pretrained.pth')
    assert cfg.exact_resume


def test_signal_before_the_training_begins_asks_for_another_try(tmp_path):
    config = tmp_path / 'c.py'
    # a config with `import` is another kind of config for mmengine
    config.write_text('os = __import__("os")\nos.kill(os.getpid(), 15)\n')
    done = subprocess.run(
        [sys.executable, ROOT / 'tools/train.py', config],
        text=True,
        capture_output=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 75
    assert 'got SIGTERM before the training began' in done.stderr


def test_importing_the_script_and_running_it_leave_the_signals_alone(run_tool):
    import train  # noqa: F401

    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGUSR1)]
    with pytest.raises(FileNotFoundError):
        run_tool('train.py', 'none.py')
    after = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGUSR1)]
    assert after == before == [signal.SIG_DFL] * 2


@pytest.mark.parametrize('rank, locks', [('0', True), ('1', False)])
def test_work_dir_in_use_is_refused_to_another_run_and_not_to_another_rank(
    monkeypatch, tmp_path, rank, locks
):
    import _processes

    monkeypatch.setenv('RANK', rank)
    cfg = Config(dict(launcher='pytorch', work_dir=str(tmp_path / 'w')))
    Path(cfg.work_dir).mkdir()
    with lock_folder(Path(cfg.work_dir)):
        files = {f: f.read_bytes() for f in (tmp_path / 'w').iterdir()}
        if not locks:
            with _processes.lock_work_dir(cfg):
                return
        with (
            pytest.raises(
                RuntimeError,
                match=f"'{cfg.work_dir}' is in use by process "
                rf'{os.getpid()}: .*--work-dir',
            ),
            _processes.lock_work_dir(cfg),
        ):
            pass
        assert files == {f: f.read_bytes() for f in (tmp_path / 'w').iterdir()}
    with _processes.lock_work_dir(cfg):
        pass


# ---- errors for the person who must fix the cause --------------------------


def test_missing_data_names_folder_and_command(train_small, tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        train_small(
            'cfcn_resnet_pets.py',
            tmp_path / 'w',
            'model.backbone.model_name=resnet10t',
            data=tmp_path,
        )
    assert f'{tmp_path}/oxford-iiit-pet' in str(error.value)
    assert 'tools/get_data.py pets' in str(error.value)


def test_missing_config_says_where_configs_are(run_tool):
    with pytest.raises(FileNotFoundError, match='none.py.*python -m cfcn_plugin'):
        run_tool('train.py', 'none.py')


def test_wrong_class_count_is_named(train_small, waterbirds_root, tmp_path):
    with pytest.raises(ValueError, match='head.num_classes=5.*2 classes'):
        train_small(
            'cfcn_efficientnet-lite0_waterbirds.py',
            tmp_path,
            'model.backbone.model_name=resnet10t',
            'model.head.num_classes=5',
            data=waterbirds_root,
        )


def test_auto_scale_lr_without_its_config_is_named(run_tool, tmp_path):
    with pytest.raises(ValueError, match='--auto-scale-lr.*auto_scale_lr'):
        run_tool(
            'train.py',
            ROOT / 'configs/cfcn-c_cfcnnet_textured-digits.py',
            '--auto-scale-lr',
            '--work-dir',
            tmp_path,
        )


@pytest.mark.parametrize('wrapped', [False, True])
def test_test_time_augmentation_averages_flips(
    run_tool, pets_run, pets_root, tmp_path, wrapped
):
    out, config = tmp_path / 'metrics.json', tmp_path / 'one_metric.py'
    cfg = Config.fromfile(pets_run / 'cfcn_resnet_pets.py')
    cfg.test_evaluator = dict(type='Accuracy')
    if wrapped:
        cfg.test_dataloader.dataset = dict(
            type='RepeatDataset', times=2, dataset=cfg.test_dataloader.dataset
        )
    cfg.dump(config)
    run_tool(
        'test.py',
        config,
        pets_run / 'epoch_1.pth',
        '--work-dir',
        tmp_path,
        '--tta',
        '--out',
        out,
        '--out-item',
        'metrics',
        data=pets_root,
    )
    assert 'accuracy/top1' in json.loads(out.read_text())
