"""Lists of images to mask, by chance, by coverage and by context."""

import copy
import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS

CONFIG = Path(__file__).parents[2] / 'configs/cfcn_efficientnet-lite0_waterbirds.py'
SMALL = f"""_base_ = {str(CONFIG)!r}
model = dict(backbone=dict(_delete_=True, type='CFCNNet', filters=[4, 8], strides=4),
             head=dict(in_channels=8))
"""


@pytest.fixture(scope='module')
def trained(tmp_path_factory, waterbirds_root):
    """A config of a small network, and a checkpoint of it."""
    folder = tmp_path_factory.mktemp('trained')
    config, checkpoint = folder / 'small.py', folder / 'small.pth'
    config.write_text(SMALL)
    cfg = Config.fromfile(config)
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(cfg.model))
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    return config, checkpoint


def test_lists_are_of_training_images_by_class_and_never_overwritten(
    run_tool, waterbirds_root, tmp_path
):
    out = tmp_path / 'list.txt'
    run_tool(
        'choose_guided.py',
        CONFIG,
        '-n',
        2,
        '--by',
        'random',
        '--per-class',
        '--seed',
        1,
        '--out',
        out,
        data=waterbirds_root,
    )
    keys = out.read_text().split()
    # odd numbers are waterbirds, and the first eight are for training
    assert sorted(int(Path(k).stem) % 2 for k in keys) == [0, 0, 1, 1]
    assert all(k.startswith('images/00') for k in keys)
    with pytest.raises(FileExistsError, match='not overwritten'):
        run_tool(
            'choose_guided.py', CONFIG, '-n', 2, '--out', out, data=waterbirds_root
        )  # before a model is asked


@pytest.mark.parametrize('count,message', [(0, 'at least 1'), (99, 'has 8')])
def test_impossible_counts_are_named_before_a_model_is_made(
    run_tool, waterbirds_root, count, message
):
    with pytest.raises(ValueError, match=message):
        run_tool('choose_guided.py', CONFIG, '-n', count, data=waterbirds_root)


def test_a_printed_list_has_nothing_but_images(
    run_tool, waterbirds_root, trained, capsys
):
    config, checkpoint = trained
    run_tool(
        'choose_guided.py',
        config,
        *('-n', 2, '--checkpoint', checkpoint, '--workers', 0),
        data=waterbirds_root,
    )
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(line.endswith('.jpg') for line in lines)


@pytest.mark.parametrize('by', ['coverage', 'context'])
def test_choice_of_a_model_is_nested_and_its_page_says_why(
    run_tool, waterbirds_root, trained, tmp_path, by
):
    config, checkpoint = trained
    lists = []
    for count in (2, 4):
        out, page = (tmp_path / f'{count}.{end}' for end in ('txt', 'html'))
        run_tool(
            'choose_guided.py',
            config,
            '-n',
            count,
            '--by',
            by,
            '--checkpoint',
            checkpoint,
            '--out',
            out,
            '--page',
            page,
            '--workers',
            0,
            '--batch-size',
            3,
            data=waterbirds_root,
        )
        lists.append(set(out.read_text().split()))
    assert len(lists[0]) == 2 and lists[0] < lists[1] and len(lists[1]) == 4
    text = page.read_text()
    assert f'4 of 8 training images, chosen by {by}.' in text
    assert re.findall(r'<h2>(\w+)</h2>', text) == ['landbird', 'waterbird']
    assert text.count('src="data:image/png;base64,') == 2
    assert '--checkpoint' in text and '2 of 2 chosen images.' in text


def test_random_choice_has_a_page_too(run_tool, waterbirds_root, tmp_path, capsys):
    run_tool(
        'choose_guided.py',
        CONFIG,
        '-n',
        2,
        '--by',
        'random',
        '--page',
        tmp_path / 'a.html',
        data=waterbirds_root,
    )
    assert len(capsys.readouterr().out.split()) == 2
    assert 'chosen by random. Each image has' in (tmp_path / 'a.html').read_text()


def test_what_cannot_be_chosen_says_what_to_give(
    run_tool, waterbirds_root, trained, capsys
):
    config, checkpoint = trained
    for arguments, message in (
        (('--by', 'context'), 'asks the model at hand: give --checkpoint'),
        (
            ('--by', 'random', '--checkpoint', checkpoint),
            '--by random uses no --checkpoint',
        ),
    ):
        with pytest.raises(SystemExit):
            run_tool(
                'choose_guided.py', config, '-n', 2, *arguments, data=waterbirds_root
            )
        assert message in capsys.readouterr().err
    # by coverage, the default
    with pytest.raises(ValueError, match=r'at random: .*--by random.*--checkpoint'):
        run_tool('choose_guided.py', config, '-n', 2, data=waterbirds_root)
