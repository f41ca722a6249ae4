from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[2] / 'configs/cfcn_efficientnet-lite0_waterbirds.py'


def test_lists_are_of_training_images_by_class_and_never_overwritten(
        run_tool, waterbirds_root, tmp_path):
    out = tmp_path / 'list.txt'
    run_tool('choose_guided.py', CONFIG, '-n', 2, '--per-class', '--seed', 1, '--out',
             out, data=waterbirds_root)
    keys = out.read_text().split()
    # odd numbers are waterbirds, and the first eight are for training
    assert sorted(int(Path(k).stem) % 2 for k in keys) == [0, 0, 1, 1]
    assert all(k.startswith('images/00') for k in keys)
    with pytest.raises(FileExistsError, match='not overwritten'):
        run_tool('choose_guided.py', CONFIG, '-n', 2, '--out', out,
                 data=waterbirds_root)


@pytest.mark.parametrize('count,message', [(0, 'at least 1'), (99, 'has 8')])
def test_impossible_counts_are_named(run_tool, waterbirds_root, count, message):
    with pytest.raises(ValueError, match=message):
        run_tool('choose_guided.py', CONFIG, '-n', count, data=waterbirds_root)
