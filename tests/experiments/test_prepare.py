"""A cell's config, and the settings that make two runs equal."""

from pathlib import Path

import pytest

from cfcn_plugin.experiments.prepare import (
    cell_config,
    compare_settings,
    read_config,
    run_settings,
)
from cfcn_plugin.experiments.read_grid import read_grid

GRIDS = Path(__file__).parents[2] / 'configs' / 'experiments'


@pytest.fixture(autouse=True)
def changed_configs_are_read_anew():
    read_config.cache_clear()


def test_options_are_merged_and_the_grid_s_own_stay_as_they_are(make_grid, tmp_path):
    grid = make_grid(
        "methods = dict(a='base.py')\n"
        "options = {'model': dict(deep=dict(x=1))}\n"
        "axes = dict(seed=[7], **{'model.lr': [0.5]})"
    )
    (cell,) = grid.cells
    before = repr(cell.options)
    cfg = cell_config(cell, tmp_path)
    assert cfg.randomness.seed == 7 and cfg.model == dict(lr=0.5, deep=dict(x=1))
    assert repr(cell.options) == before
    assert cell_config(cell, tmp_path).to_dict() == cfg.to_dict()


def test_alpha_of_a_plain_network_is_refused_with_the_remedy(make_grid, tmp_path):
    grid = make_grid(
        "methods = dict(a='base.py')\naxes = dict(alpha=[1.0])",
        'model = dict(guidance=None)',
    )
    with pytest.raises(
        ValueError, match="cell 'a/data/alpha=1.0'.*no guidance.*without=.'alpha'"
    ):
        cell_config(grid.cells[0], tmp_path)


def test_whole_guidance_in_options_may_be_weighed(make_grid, tmp_path):
    grid = make_grid(
        "methods = dict(a=dict(config='base.py', options={'model.guidance': "
        "dict(_delete_=True, type='X')}))\naxes = dict(alpha=[2.0])",
        'model = dict(guidance=None)',
    )
    cfg = cell_config(grid.cells[0], tmp_path)
    assert cfg.model.guidance == dict(type='X', loss_weight=2.0)


def test_identities_differ_by_masks_and_sizes(make_grid):
    grid = make_grid("methods = dict(a='base.py')\naxes = dict(masks=[0, 3], size=[5])")
    first, second = map(run_settings, grid.cells)
    assert first['size'] == second['size'] == 5
    assert compare_settings(first, second) == 'masks: 0 became 3'


def test_differences_name_a_few_and_count_the_rest():
    said = compare_settings({}, {str(i): i for i in range(6)})
    assert said.startswith("0: '(absent)' became 0; ") and said.endswith('and 2 more')


@pytest.mark.parametrize('file', sorted(GRIDS.glob('*.py')), ids=lambda file: file.stem)
def test_options_of_every_method_of_our_grids_can_be_merged(file):
    cells = {(cell.method, cell.config): cell for cell in read_grid(file).cells}
    methods = [run_settings(cell) for cell in cells.values()]
    assert len({str(settings) for settings in methods}) == len(methods)
