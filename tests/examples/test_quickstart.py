"""The notebook runs from its first cell to its last, and is kept with its results."""

from pathlib import Path

import pytest

nbclient = pytest.importorskip('nbclient')
nbformat = pytest.importorskip('nbformat')
ROOT = Path(__file__).parents[2]


@pytest.fixture
def notebook():
    return nbformat.read(ROOT / 'examples/quickstart.ipynb', 4)


def outputs(notebook):
    """Each cell's kinds of output."""
    return [
        [one.output_type for one in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == 'code'
    ]


def test_the_notebook_runs_and_shows_what_is_kept_with_it(
    notebook, tmp_path, monkeypatch
):
    pytest.importorskip('skimage')
    pytest.importorskip('sklearn')
    kept = outputs(notebook)
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    for cell in notebook.cells:
        cell.source = cell.source.replace('epochs=15', 'epochs=1').replace(
            'for batch in loader:', 'for batch in [next(iter(loader))]:'
        )
    client = nbclient.NotebookClient(notebook, timeout=600, coalesce_streams=True)
    client.execute(cwd=str(tmp_path))
    assert outputs(notebook) == kept
    printed = notebook.cells[-1].outputs[0].text
    assert [line.split(':')[0] for line in printed.splitlines()] == [
        'new',
        'baseline',
        'guided',
    ]


def test_a_mask_a_step_and_maps_are_shown(notebook):
    pictures = [kinds.count('display_data') for kinds in outputs(notebook)]
    assert sum(pictures) == 4 and pictures[1] == 1 and pictures[-1] == 3
    assert 'loss of guidance' in str(notebook.cells)
