"""The cells of a grid file, and errors of wrong files."""

import re
from pathlib import Path

import pytest

from cfcn_plugin.experiments.read_grid import KNOWN, read_grid

ROOT = Path(__file__).parents[2]


@pytest.fixture
def read(tmp_path):
    """Read a grid of this text, beside three empty configs."""
    for name in ('plain_digits.py', 'plain_birds.py', 'guided_digits.py'):
        (tmp_path / name).write_text('')

    def read(text):
        file = tmp_path / 'mine.py'
        file.write_text(text)
        return read_grid(file)

    return read


def test_cells_are_the_product_of_axes_a_seed_after_the_other(read):
    grid = read(
        "methods = dict(a='plain_digits.py')\naxes = dict(seed=[3, 5], alpha=[0.1, 2])"
    )
    assert grid.name == 'mine' and grid.axes == ('seed', 'alpha')
    assert [c.name for c in grid.cells] == [
        'a/data/seed=3_alpha=0.1',
        'a/data/seed=3_alpha=2',
        'a/data/seed=5_alpha=0.1',
        'a/data/seed=5_alpha=2',
    ]
    assert grid.cells[1].options == {
        'randomness.seed': 3,
        'model.guidance.loss_weight': 2,
    }
    assert grid.cells[1].seed == 3


def test_method_may_have_only_some_of_an_axis(read):
    grid = read(
        "methods = dict(a='plain_digits.py', b=dict(config='plain_digits.py', "
        "axis_values=dict(masks=['5%'])))\n"
        "axes = dict(masks=[1, '5%'], seed=[0, 1])"
    )
    assert [(c.method, c.masks, c.seed) for c in grid.cells] == [
        ('a', 1, 0),
        ('a', '5%', 0),
        ('b', '5%', 0),
        ('a', 1, 1),
        ('a', '5%', 1),
        ('b', '5%', 1),
    ]


def test_method_has_one_run_along_an_axis_it_is_without(read):
    grid = read(
        "methods = dict(a=dict(config='plain_digits.py', without=['alpha']), "
        "b='guided_digits.py')\naxes = dict(alpha=[1, 2, 3])"
    )
    assert [c.name for c in grid.cells] == [
        'a/data/run',
        'b/data/alpha=1',
        'b/data/alpha=2',
        'b/data/alpha=3',
    ]
    assert grid.cells[0].options == {}


def test_config_is_found_by_the_data_sets_name(read, tmp_path):
    grid = read(
        "methods = dict(a='plain_{data}.py', b=dict(config=dict("
        "digits='guided_digits.py', birds='plain_birds.py')))\n"
        "axes = dict(data=['digits', 'birds'])"
    )
    assert [c.config.name for c in grid.cells] == [
        'plain_digits.py',
        'plain_birds.py',
        'guided_digits.py',
        'plain_birds.py',
    ]


def test_star_stands_for_what_one_file_has(read):
    assert read("methods = dict(a='gui*_digits.py')").cells[0].config.name == (
        'guided_digits.py'
    )
    with pytest.raises(ValueError, match='must be one file.*guided_d.*plain_d'):
        read("methods = dict(a='*_digits.py')")


def test_options_of_grid_method_and_axes_are_merged_the_later_wins(read):
    grid = read(
        "methods = dict(a=dict(config='plain_digits.py', options={'x': 2}))\n"
        "options = {'x': 1, 'y': 1}\n"
        "axes = dict(kind=dict(one={'y': 3}), **{'lr': [0.5]})"
    )
    assert grid.cells[0].options == {'x': 2, 'y': 3, 'lr': 0.5}
    assert grid.cells[0].axes == {'kind': 'one', 'lr': 0.5}


def test_masks_and_sizes_are_numbers_or_fractions(read):
    grid = read(
        "methods = dict(a='plain_digits.py')\n"
        "axes = dict(masks=[0, 1, '2.5%'], size=[100])"
    )
    assert [(c.masks, c.size) for c in grid.cells] == [
        (0, 100),
        (1, 100),
        ('2.5%', 100),
    ]


def test_metrics_may_have_a_factor(read):
    grid = read(
        "methods = dict(a='plain_digits.py')\n"
        "metrics = dict(right='top1', inside=('focus/energy', 100))"
    )
    assert grid.metrics == {'right': ('top1', 1.0), 'inside': ('focus/energy', 100.0)}


@pytest.mark.parametrize(
    'text,message',
    [
        ('axes = dict(seed=[1])', "has no .'methods'."),
        ("methods = dict(a='plain_digits.py')\nseeds = 3", "has .'seeds'.: expected"),
        ("methods = dict(a=dict(configs='x'))", "method 'a' has .'configs'."),
        (
            "methods = dict(a='plain_digits.py')\nbaseline = 'b'",
            "`baseline` is 'b', the methods",
        ),
        (
            "methods = dict(a=dict(config='plain_digits.py', without=['alpha']))",
            "names the axes .'alpha'., the grid has",
        ),
        (
            "methods = dict(a=dict(config='plain_digits.py', "
            "axis_values=dict(masks=['5%'])))\n"
            'axes = dict(masks=[1, 2])',
            "only .'5%'. of axis 'masks', which has .1, 2.",
        ),
        (
            "methods = dict(a='plain_digits.py')\naxes = dict(masks=[1.0])",
            "expected a number of images or a fraction such as '5%', got 1.0",
        ),
        (
            "methods = dict(a='plain_digits.py')\naxes = dict(masks=['101%'])",
            'got .101%',
        ),
        ("methods = dict(a='plain_digits.py')\naxes = dict(masks=['x%'])", 'got .x%'),
        ("methods = dict(a='plain_digits.py')\naxes = dict(size=[0])", 'got 0'),
        ("methods = dict(a='plain_digits.py')\naxes = dict(size=[])", 'has no value'),
        (
            "methods = dict(a='plain_digits.py')\naxes = dict(seed=[1, 1])",
            'value twice',
        ),
        (
            "methods = dict(a='plain_digits.py')\naxes = {'x.y': [[1, 2]]}",
            'cannot be part of a folder',
        ),
        ("methods = {'../a': 'plain_digits.py'}", 'cannot be part of a folder'),
        ("methods = {'..': 'plain_digits.py'}", 'cannot be part of a folder'),
        (
            "methods = dict(a='plain_digits.py')\naxes = {'../a': [1]}",
            'cannot be part of a folder',
        ),
        ("methods = dict(a='plain_digits.py')\ntest = 'f'", '`test` must be one of'),
        (
            "methods = dict(a=dict(config=dict(digits='plain_digits.py')))\n"
            "axes = dict(data=['birds'])",
            "no config for the data set 'birds'",
        ),
    ],
)
def test_wrong_grid_says_what_was_expected(read, text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


def test_axis_of_masks_must_be_a_list(read):
    with pytest.raises(TypeError, match="axis 'masks' must be a list"):
        read("methods = dict(a='plain_digits.py')\naxes = dict(masks=dict(few={}))")


def test_method_may_have_a_baseline_of_its_own(read):
    grid = read(
        "methods = dict(a='plain_digits.py', b='plain_digits.py', "
        "c=dict(config='guided_digits.py', baseline='b'))\nbaseline = 'a'"
    )
    assert grid.baseline == 'a' and grid.own_baselines == dict(c='b')
    with pytest.raises(ValueError, match="`baseline` is 'd', the methods are"):
        read("methods = dict(a=dict(config='plain_digits.py', baseline='d'))")


def test_missing_files_are_named(read, tmp_path):
    with pytest.raises(FileNotFoundError, match="config '.*none.py' of method 'a'"):
        read("methods = dict(a='none.py')")
    with pytest.raises(FileNotFoundError, match='configs/experiments'):
        read_grid(tmp_path / 'no_grid.py')


@pytest.mark.parametrize(
    'file',
    sorted((ROOT / 'configs/experiments').glob('*.py')),
    ids=lambda file: file.stem,
)
def test_every_grid_of_ours_can_be_read(file):
    grid = read_grid(file)
    assert grid.baseline in {cell.method for cell in grid.cells}
    assert len({cell.name for cell in grid.cells}) == len(grid.cells)
    assert len({cell.seed for cell in grid.cells}) >= 3


def test_grid_of_the_docs_is_read(tmp_path):
    text = (ROOT / 'docs' / 'experiments.md').read_text(encoding='utf-8')
    (tmp_path / 'experiments').mkdir()
    for name in ('cnn', 'cfcn-c'):
        (tmp_path / f'{name}_cfcnnet_textured-digits.py').write_text('')
    file = tmp_path / 'experiments' / 'grid.py'
    file.write_text(re.search(r'```python\n(.*?)```', text, re.S).group(1))
    grid = read_grid(file)
    assert len(grid.cells) == 3 * 2 * (1 + 2 * 9)
    for key in KNOWN - {'axes'}:
        assert f'`{key}`' in text


def test_text_of_an_option_has_the_values_of_the_axes(read):
    grid = read(
        "methods = dict(a=dict(config='plain_digits.py', options={'x': "
        "'lists/{few}_{seed}.txt', 'y': ['{seed}'], 'z': '{other}'}))\n"
        "axes = dict(few={'6': {}, '24': {}}, seed=[7])"
    )
    assert [cell.options['x'] for cell in grid.cells] == [
        'lists/6_7.txt',
        'lists/24_7.txt',
    ]
    assert grid.cells[0].options['y'] == ['{seed}']
    assert grid.cells[0].options['z'] == '{other}'


def test_each_cell_of_the_choice_of_images_has_a_list_of_its_own():
    grid = read_grid(ROOT / 'configs/experiments/waterbirds_choice.py')
    lists = {
        cell.options['train_dataloader.dataset.pipeline.1.image_list']
        for cell in grid.cells
    }
    assert len(lists) == len(grid.cells) == 18 and grid.baseline == 'random'
    assert 'work_dirs/choice/context_240_2.txt' in lists
