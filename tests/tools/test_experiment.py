"""A grid of real trainings from one command, to its table and report."""

import contextlib
import csv
import json
import re
from functools import partial
from pathlib import Path
from unittest import mock

import pytest
import torch
from mmengine.logging import MMLogger

ROOT = Path(__file__).parents[2]
CONFIG = """
_base_ = {base!r}
model = dict(
    backbone=dict(_delete_=True, type='CFCNNet', filters=[4], strides=4),
    neck=None,
    head=dict(_delete_=True, type='CausalFocusHead', num_classes=2),
    guidance=dict(channels='target'))
train_cfg = dict(max_epochs=1, val_interval=1)
default_hooks = dict(checkpoint=dict(interval=1), logger=dict(interval=1))
train_dataloader = dict(batch_size=4, num_workers=0)
val_dataloader = dict(num_workers=0)
test_dataloader = dict(num_workers=0)
"""
GRID = """
methods = dict(
    cnn=dict(config='config.py', without=['masks'],
             options={'model.guidance': None}),
    cfcn='config.py')
baseline = 'cnn'
axes = dict(masks=[3])
metrics = {'worst, %': 'group/worst', 'inside, %': ('focus/energy', 100)}
"""


class InThisProcess:
    """In place of a run's processes: importing torch anew takes most of their time."""

    pid = -1

    def __init__(self, run_tool, command, stdout, **kwargs):
        tool, *arguments = command[1:]
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stdout):
            run_tool(tool.name, *arguments)

    def wait(self):
        return 0


def write_grid(folder):
    """A folder with a config and a grid of two cells."""
    base = str(ROOT / 'configs/cfcn_efficientnet-lite0_waterbirds.py')
    (folder / 'config.py').write_text(CONFIG.format(base=base))
    (folder / 'grid.py').write_text(GRID)
    return folder


@pytest.fixture(scope='module')
def finished(run_tool, waterbirds_root, tmp_path_factory):
    """The work dir of two cells on a generated data set."""
    folder = write_grid(tmp_path_factory.mktemp('grid'))
    (folder / 'page.md').write_text('<!-- table -->\n<!-- end of table -->\n')
    logger = MMLogger.get_current_instance()
    level = logger.level
    with contextlib.ExitStack() as patches:
        for name, value in {
            'cfcn_plugin.experiments.cell_run.Popen': partial(InThisProcess, run_tool),
            'cfcn_plugin.experiments.sheets.IMAGES': 3,
            'cfcn_plugin.experiments.sheets.DPI': 30,
            # what takes most of the time of so small a run
            'mmengine.runner.Runner._log_env': lambda *_: None,
        }.items():
            patches.enter_context(mock.patch(name, value))
        run_tool(
            'experiment.py',
            folder / 'grid.py',
            '--work-dir',
            folder / 'work',
            '--page',
            folder / 'page.md',
            '--executor',
            'debug',
            data=waterbirds_root,
        )
    logger.setLevel(level)
    return folder


@pytest.mark.slow
def test_runs_are_processes_of_their_own(run_tool, waterbirds_root, tmp_path):
    write_grid(tmp_path)
    run_tool(
        'experiment.py',
        tmp_path / 'grid.py',
        '--work-dir',
        tmp_path / 'work',
        data=waterbirds_root,
    )
    for cell in ('cnn/data/run', 'cfcn/data/masks=3'):
        folder = tmp_path / 'work' / cell
        assert json.loads((folder / 'outcome.json').read_text())['status'] == 'done'
        assert 'epoch_1.pth' in (folder / 'output.log').read_text()
    assert 'Not drawn' not in (tmp_path / 'work' / 'report.html').read_text()


def test_csv_has_a_line_a_cell_and_metric(finished):
    with (finished / 'work' / 'results.csv').open(newline='') as stream:
        lines = list(csv.DictReader(stream))
    assert {(line['method'], line['masks'], line['status']) for line in lines} == {
        ('cnn', '', 'done'),
        ('cfcn', '3', 'done'),
    }
    worst = [line for line in lines if line['metric'] == 'group/worst']
    assert len(worst) == 2 and all(0 <= float(w['value']) <= 100 for w in worst)


def test_cells_are_normal_runs_with_the_masks_asked_for(finished):
    cell = finished / 'work' / 'cfcn' / 'data' / 'masks=3'
    assert len((cell / 'guided.txt').read_text().split()) == 3
    assert (cell / 'run' / 'epoch_1.pth').is_file()
    assert 'in_channels=4' in (cell / 'run' / 'config.py').read_text()


def test_report_is_one_file_with_its_images_inside(finished):
    report = (finished / 'work' / 'report.html').read_text()
    assert not re.search(r'(src|href)="(?!data:|#)', report)
    titles = re.findall(r'<h2[^>]*>(.*?)</h2>', report)
    for wanted in (
        'Methods',
        'Results (table 3)',
        'Convergence',
        'Saliency maps of',
        'Class maps of cfcn',
        'Other light',
    ):
        assert any(title.startswith(wanted) for title in titles), (wanted, titles)
    images = sorted(f.stem for f in (finished / 'work' / 'figures').iterdir())
    assert {'convergence', 'heatmaps_data'} <= set(images)
    assert set(images) == set(re.findall(r'<h2 id="(?!results)(.*?)">', report))
    assert set(images) <= set(re.findall(r'<a href="#(.*?)">', report))
    # three images in each sheet, of which a reader sees the right or the wrong ones
    sheet = report.partition('id="heatmaps_data"')[2].partition('</figure>')[0]
    verdicts = re.findall(r'<img class="(right|wrong)"', sheet)
    assert len(verdicts) == 3
    assert 'Training moved it into the mask in cfcn masks 3' in report
    assert 'It was not trained in cnn' in report
    assert 'guidance: none; ' in report and 'guidance: CausalFocusLoss(' in report
    assert f'torch {torch.__version__}' in report and 'Not drawn' not in report


def test_page_has_the_table_and_its_command(finished):
    page = (finished / 'page.md').read_text()
    assert '| method | masks | worst, % | inside, % | seeds |' in page
    assert '| cfcn | 3 |' in page and 'tools/experiment.py' in page


def test_sheet_of_two_checkpoints_is_drawn_and_never_overwritten(
    finished, run_tool, waterbirds_root
):
    cell, plain = (finished / 'work' / name / 'data' for name in ('cfcn', 'cnn'))
    command = [
        'visualize.py',
        cell / 'masks=3/run/config.py',
        cell / 'masks=3/run/epoch_1.pth',
        waterbirds_root / 'waterbirds100/images/000.jpg',
        '--against',
        plain / 'run/run/epoch_1.pth',
        '--out',
        finished / 'sheet.png',
    ]
    run_tool(*command, data=waterbirds_root)
    assert (finished / 'sheet.png').stat().st_size > 10_000
    with pytest.raises(FileExistsError, match='not overwritten'):
        run_tool(*command, data=waterbirds_root)


def test_report_of_no_runs_names_the_missing_folder(run_tool, tmp_path):
    write_grid(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"{tmp_path / 'none'}' does not"):
        run_tool(
            'experiment.py',
            tmp_path / 'grid.py',
            '--report-only',
            '--work-dir',
            tmp_path / 'none',
        )
