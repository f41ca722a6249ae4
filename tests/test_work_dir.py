"""Whether a run has a checkpoint, by the names in its folder."""

import pytest

from cfcn_plugin.work_dir import has_checkpoint, regular_checkpoints


@pytest.mark.parametrize(
    'name, text, has',
    [
        ('epoch_3.pth', '', True),
        ('iter_20.pth', '', True),
        ('best_accuracy_top1_epoch_3.pth', '', False),
        ('epoch_3.pth.partial', '', False),
        ('last_checkpoint', '/unmounted/run/epoch_3.pth', True),
        ('last_checkpoint', '\n', False),
    ],
)  # as a killed stock run may leave it
def test_regular_files_and_the_pointer_count(tmp_path, name, text, has):
    assert not has_checkpoint(tmp_path)
    (tmp_path / name).write_text(text)
    assert has_checkpoint(tmp_path) is has
    assert bool(regular_checkpoints(tmp_path)) is (has and name.endswith('.pth'))
