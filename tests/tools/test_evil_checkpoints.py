"""No tool runs the code in an untrusted checkpoint."""

import os
import pickle
from pathlib import Path
from unittest import mock

import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS

from cfcn_plugin.mm.fitting_weights import UnfitWeightsError
from cfcn_plugin.mm.safe_loading import UnsafeCheckpointError

pytestmark = pytest.mark.stacks
CONFIG = Path(__file__).parents[2] / 'configs/cfcn_efficientnet-lite0_waterbirds.py'
SMALL = {
    'model.backbone.model_name': 'test_resnet',
    'model.backbone.pretrained': False,
    'model.backbone.local_weights': None,
    'train_dataloader.num_workers': 0,
    'val_dataloader.num_workers': 0,
    'test_dataloader.num_workers': 0,
    'train_cfg.max_epochs': 1,
}


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return exec, (f'open({str(self.file)!r}, "w")',)


@pytest.fixture(scope='module')
def trained(waterbirds_root, tmp_path_factory):
    """A folder with a config, and a checkpoint as after its last epoch."""
    folder = tmp_path_factory.mktemp('run')
    with mock.patch.dict(os.environ, CFCN_DATA=str(waterbirds_root)):
        cfg = Config.fromfile(CONFIG)
    cfg.merge_from_dict(SMALL)
    cfg.dump(folder / CONFIG.name)
    hub = dict(log_scalars={}, runtime_info={}, resumed_keys={})
    torch.save(
        dict(
            state_dict=MODELS.build(cfg.model).state_dict(),
            message_hub=hub,
            meta=dict(epoch=1, iter=1),
        ),
        folder / 'epoch_1.pth',
    )
    return folder


@pytest.fixture
def ran(tmp_path):
    return tmp_path / 'ran'


@pytest.fixture
def evil(trained, ran, tmp_path):
    """The checkpoint with something more, in a work dir of its own."""
    path = tmp_path / 'run' / 'evil.pth'
    path.parent.mkdir()
    content = torch.load(trained / 'epoch_1.pth')
    torch.save(dict(content, extra=Touch(ran)), path)
    (path.parent / 'last_checkpoint').write_text(str(path))
    return path


def commands(config, evil, good, image, out):
    """Each tool's command by name; `evil` is what it must not run."""
    train = ['train.py', config, '--work-dir', evil.parent]
    options = [*train, '--cfg-options']
    draw = ['visualize.py', config]
    export = ['export.py', config, evil, '--out', out]
    return {
        'start from': [*options, f'load_from={evil}'],
        'resume': [*train, '--resume', evil],
        'resume the latest': [*train, '--resume'],
        'backbone of timm': [*options, f'model.backbone.checkpoint_path={evil}'],
        'initial weights': [
            *options,
            'model.init_cfg.type=Pretrained',
            f'model.init_cfg.checkpoint={evil}',
        ],
        'test': ['test.py', config, evil, '--work-dir', out],
        'draw': [*draw, evil, image, '--out', f'{out}.png'],
        'draw against': [*draw, good, image, '--against', evil, '--out', f'{out}.png'],
        'export to mmpretrain': [*export, '--to', 'mmpretrain'],
        'export to timm': [*export, '--to', 'timm'],
    }


@pytest.mark.parametrize('way', list(commands(*[Path('x')] * 5)))
def test_no_tool_runs_what_a_checkpoint_holds(
    run_tool, waterbirds_root, trained, evil, ran, tmp_path, way
):
    image = waterbirds_root / 'waterbirds100/images/000.jpg'
    config = trained / CONFIG.name
    command = commands(config, evil, trained / 'epoch_1.pth', image, tmp_path / 'out')[
        way
    ]
    with pytest.raises(UnsafeCheckpointError, match=f"'{evil}' .* call '.*exec'"):
        run_tool(*command, data=waterbirds_root)
    assert not ran.exists()
    assert not list(tmp_path.glob('out*.p*'))


@pytest.mark.slow
def test_text_in_a_checkpoint_is_not_run_by_resuming(
    run_tool, waterbirds_root, trained, ran, tmp_path
):
    content = torch.load(trained / 'epoch_1.pth')
    content['meta']['config'] = f'open({str(ran)!r}, "w")'
    torch.save(content, tmp_path / 'old.pth')
    run_tool(
        'train.py',
        trained / CONFIG.name,
        '--work-dir',
        tmp_path,
        '--resume',
        tmp_path / 'old.pth',
        data=waterbirds_root,
    )
    assert not ran.exists()


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_no_tool_opens_annotations_that_are_code(
    run_tool, waterbirds_root, trained, ran, tmp_path, tool
):
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(Touch(ran)))
    split = tool.removesuffix('.py')
    more = [] if tool == 'train.py' else [trained / 'epoch_1.pth']
    with pytest.raises(ValueError, match=f'`{split}_dataloader.*ann_file` is .*a.pkl'):
        run_tool(
            tool,
            trained / CONFIG.name,
            *more,
            '--work-dir',
            tmp_path / 'w',
            '--cfg-options',
            f'{split}_dataloader.dataset.type=MultiLabelDataset',
            f'{split}_dataloader.dataset.ann_file={tmp_path / "a.pkl"}',
            data=waterbirds_root,
        )
    assert not ran.exists()


@pytest.mark.parametrize(
    'way', ['start from', 'initial weights', 'test', 'draw', 'export to timm']
)
def test_no_tool_goes_on_without_a_weight_that_fits(
    run_tool, waterbirds_root, trained, tmp_path, way
):
    unfit = tmp_path / 'run' / 'unfit.pth'
    unfit.parent.mkdir()
    torch.save({'net.0.weight': torch.ones(3)}, unfit)
    image = waterbirds_root / 'waterbirds100/images/000.jpg'
    command = commands(
        trained / CONFIG.name, unfit, trained / 'epoch_1.pth', image, tmp_path / 'out'
    )[way]
    with pytest.raises(
        UnfitWeightsError,
        match="unfit.pth': none of its 1 weights fits"
        ".*'net.0.weight', the model has 'backbone.timm_model.",
    ):
        run_tool(*command, data=waterbirds_root)
    assert not list((tmp_path / 'run').glob('epoch_*'))
