"""A trusted checkpoint is converted to a safe checkpoint."""

import argparse
import enum

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.runner import load_checkpoint

from cfcn_plugin.mm.clean_checkpoint import clean_checkpoint

pytestmark = pytest.mark.stacks


class Kind(enum.IntEnum):
    ONE = 1


def test_weights_and_numbers_stay_and_the_rest_is_named(run_tool, tmp_path, capsys):
    model = torch.nn.Linear(2, 1)
    torch.save(
        dict(
            state_dict=model.state_dict(),
            meta=ConfigDict(
                epoch=3,
                args=argparse.Namespace(lr=1),
                best=np.float64(0.5),
                none=None,
                kinds=[Kind.ONE, 7],
                names=('cow',),
            ),
        ),
        tmp_path / 'x.pth',
    )
    run_tool(
        'clean_checkpoint.py',
        tmp_path / 'x.pth',
        tmp_path / 'clean.pth',
        '--i-trust-this-file',
    )
    assert 'clean.pth, without meta.args, meta.kinds[0]' in capsys.readouterr().out
    other = torch.nn.Linear(2, 1)
    loaded = load_checkpoint(other, str(tmp_path / 'clean.pth'), strict=True)
    assert torch.equal(other.weight, model.weight)
    assert loaded['meta'] == dict(
        epoch=3, best=0.5, none=None, kinds=[None, 7], names=('cow',)
    )


def test_a_whole_model_becomes_its_weights(tmp_path):
    model = torch.nn.Linear(2, 1)
    torch.save(model, tmp_path / 'model.pth')
    assert clean_checkpoint(tmp_path / 'model.pth', tmp_path / 'clean.pth') == []
    torch.nn.Linear(2, 1).load_state_dict(
        torch.load(tmp_path / 'clean.pth', weights_only=True)['state_dict']
    )


def test_checkpoint_with_a_function_of_a_scheduler_can_be_resumed_from_its_copy(
    tmp_path,
):
    # of a OneCycleLR run, whose saved function safe loading refuses
    state = dict(anneal_func=max, last_step=3)
    torch.save(dict(param_schedulers=[state]), tmp_path / 'x.pth')
    assert clean_checkpoint(tmp_path / 'x.pth', tmp_path / 'clean.pth') == [
        'param_schedulers[0].anneal_func'
    ]
    assert torch.load(tmp_path / 'clean.pth', weights_only=True) == dict(
        param_schedulers=[dict(last_step=3)]
    )


def test_nothing_is_opened_without_the_word(run_tool, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_tool('clean_checkpoint.py', tmp_path / 'x.pth', tmp_path / 'clean.pth')
    assert '--i-trust-this-file' in capsys.readouterr().err


def test_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.pth' does not exist"):
        clean_checkpoint(tmp_path / 'none.pth', tmp_path / 'clean.pth')
    (tmp_path / 'x.pth').write_bytes(b'PK' + bytes(7000))
    with pytest.raises(ValueError, match="x.pth' cannot be opened .*is it whole"):
        clean_checkpoint(tmp_path / 'x.pth', tmp_path / 'clean.pth')
    torch.save(argparse.Namespace(), tmp_path / 'x.pth')
    with pytest.raises(ValueError, match="x.pth' holds neither.*Namespace"):
        clean_checkpoint(tmp_path / 'x.pth', tmp_path / 'clean.pth')
    (tmp_path / 'clean.pth').write_text('mine')
    with pytest.raises(FileExistsError, match='not overwritten'):
        clean_checkpoint(tmp_path / 'x.pth', tmp_path / 'clean.pth')
    assert (tmp_path / 'clean.pth').read_text() == 'mine'
