"""The README's first command."""

import os
from unittest import mock

import pytest


@pytest.mark.slow
def test_demo_trains_both_networks_and_draws_their_maps(run_tool, tmp_path, capsys):
    with mock.patch.dict(os.environ):  # it sets CFCN_DATA
        run_tool('demo.py', '--out', tmp_path / 'demo')
    said = capsys.readouterr().out
    assert '| cnn |' in said and '| cfcn_c |' in said
    assert (tmp_path / 'demo' / 'heatmaps.png').stat().st_size > 50_000
