"""A stock config and a fragment give the guided config, from the command line."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

from cfcn_plugin import guide_config

STOCK = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
FRAGMENTS = sorted(Path(__file__).parents[2].glob('configs/_base_/guidance/*.py'))
# what a fragment's comment names
EXAMPLES = {'cub_boxes': 'mmpretrain::resnet/resnet50_8xb8_cub.py'}


@pytest.mark.parametrize('fragment', FRAGMENTS, ids=lambda p: p.stem)
def test_every_fragment_guides_the_config_it_names(run_tool, fragment, tmp_path):
    name = EXAMPLES.get(fragment.stem, STOCK)
    assert name in fragment.read_text()
    run_tool('print_config.py', name, '--guide', fragment, '--out', tmp_path / 'c.py')
    assert (
        Config.fromfile(tmp_path / 'c.py').to_dict()
        == guide_config(
            get_config(name), **Config.fromfile(fragment).to_dict()
        ).to_dict()
    )


def test_options_come_after_guidance_and_the_print_can_be_trained(
    run_tool, capsys, tmp_path
):
    run_tool(
        'print_config.py',
        STOCK,
        '--guide',
        FRAGMENTS[1],
        '--cfg-options',
        'model.guidance.loss_weight=3',
    )
    (tmp_path / 'c.py').write_text(capsys.readouterr().out)
    cfg = Config.fromfile(tmp_path / 'c.py')
    assert cfg.model.type == 'GuidedClassifier' and cfg.model.guidance.loss_weight == 3


def test_a_file_is_not_overwritten(run_tool, tmp_path):
    (tmp_path / 'c.py').write_text('mine')
    with pytest.raises(FileExistsError, match='c.py.*not overwritten'):
        run_tool('print_config.py', STOCK, '--out', tmp_path / 'c.py')
    assert (tmp_path / 'c.py').read_text() == 'mine'


@pytest.mark.parametrize(
    'text,message',
    [
        ("mask = dict(type='PNGMasks')", r"f.py' has \['mask'\].*`masks`.*'guidance'"),
        ('guidance = None', "f.py' has no `masks`"),
    ],
)
def test_a_fragment_with_other_names_is_refused(run_tool, tmp_path, text, message):
    (tmp_path / 'f.py').write_text(text)
    with pytest.raises(ValueError, match=message):
        run_tool('print_config.py', STOCK, '--guide', tmp_path / 'f.py')


def test_a_missing_fragment_says_where_examples_are(run_tool):
    with pytest.raises(FileNotFoundError, match='none.py.*configs/_base_/guidance'):
        run_tool('print_config.py', STOCK, '--guide', 'none.py')


@pytest.mark.parametrize(
    'option, error, message',
    [
        ('model.guidance.type=Nope', KeyError, 'Nope is not in the'),
        ('model.guidance.loss_weight=-1', ValueError, '`loss_weight` must be'),
        ('load_from=5', TypeError, '`load_from` must be the path .* got 5'),
        ('load_from=none.pth', FileNotFoundError, "`load_from` is 'none.pth'"),
        (
            'model.backbone.init_cfg.type=Pretrained '
            'model.backbone.init_cfg.checkpoint=none.pth',
            FileNotFoundError,
            "`model.backbone.init_cfg.checkpoint` is 'none.pth'",
        ),
    ],
)
def test_what_a_training_would_refuse_is_refused(
    run_tool, tmp_path, option, error, message
):
    with pytest.raises(error, match=message):
        run_tool(
            'print_config.py',
            STOCK,
            '--guide',
            FRAGMENTS[1],
            '--out',
            tmp_path / 'c.py',
            '--cfg-options',
            *option.split(),
        )
    assert not (tmp_path / 'c.py').exists()
