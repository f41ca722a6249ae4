"""The outcome of a cell is whole, not there, or named with what to do."""

import json

import pytest
from grid_runs import run_grid


def test_outcome_is_whole_or_not_there(make_grid, tools, tmp_path):
    known = run_grid(make_grid(), tmp_path / 'w', tools)
    assert not list((tmp_path / 'w').rglob('*.partial'))
    kept = json.loads((known[0].folder / 'outcome.json').read_text())
    assert set(kept) == {'status', 'metrics', 'seconds', 'error'}


@pytest.mark.parametrize('content', ['', '{"status": "do', '[]', '{"status": "done"}'])
def test_outcome_that_cannot_be_read_is_named_and_its_remedy_works(
    make_grid, tools, tmp_path, content
):
    grid = make_grid("methods = dict(a='base.py')")
    (known,) = run_grid(grid, tmp_path / 'w', tools)
    file = known.folder / 'outcome.json'
    file.write_text(content)
    with pytest.raises(ValueError, match=f'{file}.*Delete the file'):
        run_grid(grid, tmp_path / 'w', tools)
    file.unlink()
    (known,) = run_grid(grid, tmp_path / 'w', tools)
    assert known.status == 'done'
