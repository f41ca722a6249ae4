import pytest

from cfcn_plugin.experiments.logs import epochs_done, read_scalars


def write(tmp_path, day, *lines):
    folder = tmp_path / day / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text('\n'.join(lines))


def test_records_of_a_resumed_run_follow_each_other(tmp_path):
    write(tmp_path, '20260102', '{"epoch": 2, "loss": 1}')
    write(tmp_path, '20260101', '{"epoch": 1, "loss": 2}', '{"top1": 3, "step": 1}')
    assert [r.get('loss') for r in read_scalars(tmp_path)] == [2, None, 1]


def test_line_that_is_being_written_is_left_out(tmp_path):
    write(tmp_path, 'day', '{"top1": 3, "step": 4}', '{"epoch": 5, "lo')
    assert len(read_scalars(tmp_path)) == 1


@pytest.mark.parametrize(
    'line, done',
    [
        ('', 0),
        ('what is no progress [1/2]', 0),
        ('INFO - Epoch(train)   [3][ 30/120]  lr: 1e-3', 2.25),
        ('INFO - Epoch(train)   [3][120/120]\nINFO - Epoch(val)  [3][2/2]  top1: 5', 3),
        ('INFO - Iter(train) [  50/1000]  lr: 1e-3', 50),
    ],
)
def test_progress_is_what_the_last_line_says(tmp_path, line, done):
    log = tmp_path / 'output.log'
    assert epochs_done(log) == 0
    log.write_text(f'before\n{line}\nlast')
    assert epochs_done(log) == done
