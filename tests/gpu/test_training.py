"""A training and a test by the tools, at the size that people train."""

import json
import time
from pathlib import Path

import pytest
import torch

CONFIG = Path(__file__).parents[2] / 'configs/cfcn_efficientnet-lite0_waterbirds.py'
# network and pixels
SIZES = {'cpu': ('resnet10t', 64), 'cuda': ('resnet50', 224)}


@pytest.mark.parametrize(
    'device',
    [
        pytest.param('cpu', marks=pytest.mark.slow),
        pytest.param('cuda', marks=pytest.mark.gpu),
    ],
)
def test_a_training_in_mixed_precision_can_be_tested(
    device, run_tool, waterbirds_root, tmp_path, fact
):
    name, size = SIZES[device]
    options = [
        f'model.backbone.model_name={name}',
        'model.backbone.pretrained=False',
        f'model.backbone.img_size={size}',
        'train_dataloader.batch_size=8',
        *(f'{split}_dataloader.num_workers=0' for split in ('train', 'val', 'test')),
        f'train_dataloader.dataset.pipeline.2.transform.scale={size}',
        *(
            f'{split}_dataloader.dataset.pipeline.2.transform.scale=({size},{size})'
            for split in ('val', 'test')
        ),
        'train_cfg.val_interval=1',
    ]
    started = time.perf_counter()
    run_tool(
        'train.py',
        CONFIG,
        '--amp',
        '--work-dir',
        tmp_path / 'run',
        '--cfg-options',
        *options,
        data=waterbirds_root,
    )
    fact(
        f'tools/train.py, {name}, {size} px, 2 epochs of 8 images, with its start',
        f'{time.perf_counter() - started:.0f} s',
    )
    log = next((tmp_path / 'run').glob('*/vis_data/scalars.json')).read_text()
    assert 'group/worst' in log
    assert 'nan' not in log.lower()
    checkpoint = tmp_path / 'run/epoch_2.pth'
    weights = torch.load(checkpoint, map_location='cpu', weights_only=False)[
        'state_dict'
    ]
    assert all(value.isfinite().all() for value in weights.values())
    run_tool(
        'test.py',
        CONFIG,
        checkpoint,
        '--work-dir',
        tmp_path / 'test',
        '--out',
        tmp_path / 'out.json',
        '--out-item',
        'metrics',
        '--cfg-options',
        *options,
        data=waterbirds_root,
    )
    metrics = json.loads((tmp_path / 'out.json').read_text())
    assert 0 <= metrics['group/mean'] <= 100
