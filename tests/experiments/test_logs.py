from cfcn_plugin.experiments.logs import last_epoch, read_scalars


def write(tmp_path, day, *lines):
    folder = tmp_path / day / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text('\n'.join(lines))


def test_records_of_a_resumed_run_follow_each_other(tmp_path):
    write(tmp_path, '20260102', '{"epoch": 2, "loss": 1}')
    write(tmp_path, '20260101', '{"epoch": 1, "loss": 2}', '{"top1": 3, "step": 1}')
    assert [r.get('loss') for r in read_scalars(tmp_path)] == [2, None, 1]
    assert last_epoch(tmp_path) == 2


def test_line_that_is_being_written_is_left_out(tmp_path):
    write(tmp_path, 'day', '{"top1": 3, "step": 4}', '{"epoch": 5, "lo')
    assert len(read_scalars(tmp_path)) == 1
    assert last_epoch(tmp_path) == 4


def test_before_the_first_record_it_is_epoch_0(tmp_path):
    assert read_scalars(tmp_path) == [] and last_epoch(tmp_path) == 0
    write(tmp_path, 'day', '{"epo')
    assert last_epoch(tmp_path) == 0
