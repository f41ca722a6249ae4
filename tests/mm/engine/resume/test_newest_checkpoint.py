"""The choice of the checkpoint to resume from."""

import os
from unittest import mock

import pytest
import torch
from mmengine.logging import HistoryBuffer, MMLogger

from cfcn_plugin.mm.engine.resume.newest_checkpoint import (
    find_damage,
    newest_checkpoint,
    saved_checkpoints,
)


@pytest.fixture
def run(tmp_path):
    """Three epochs, one a second; the pointer names the last."""
    for epoch in (1, 2, 10):
        file = tmp_path / f'epoch_{epoch}.pth'
        torch.save(dict(weight=torch.arange(1000) + epoch), file)
        os.utime(file, (epoch, epoch))
    torch.save({}, tmp_path / 'best_accuracy_epoch_2.pth')
    (tmp_path / 'last_checkpoint').write_text(f'{tmp_path}/epoch_10.pth')
    return tmp_path


def cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def flip(file):
    content = bytearray(file.read_bytes())
    content[content.index(bytes(torch.arange(300, 302).numpy().tobytes()))] ^= 1
    file.write_bytes(content)


def empty(file):
    file.write_bytes(b'')


def test_pointer_is_followed(run):
    assert newest_checkpoint(run) == run / 'epoch_10.pth'
    (run / 'last_checkpoint').write_text(f'{run}/epoch_2.pth')
    assert newest_checkpoint(run) == run / 'epoch_2.pth'


@pytest.mark.parametrize('damage', [cut, flip, empty])
def test_damaged_one_is_passed_over_with_a_warning(run, damage):
    damage(run / 'epoch_10.pth')
    assert find_damage(run / 'epoch_10.pth')
    with mock.patch.object(MMLogger, 'warning') as warning:
        assert newest_checkpoint(run) == run / 'epoch_2.pth'
    assert f"'{run}/epoch_10.pth' is damaged" in warning.call_args.args[0]


@pytest.mark.parametrize('pointer', [None, '', '/gone/epoch_10.pth'])
def test_lost_pointer_or_moved_folder_is_no_trouble(run, pointer):
    if pointer is None:
        (run / 'last_checkpoint').unlink()
    else:
        (run / 'last_checkpoint').write_text(pointer)
    assert newest_checkpoint(run) == run / 'epoch_10.pth'


def test_best_ones_have_no_optimiser_and_are_not_taken(run):
    names = [file.name for file in saved_checkpoints(run)]
    assert names == ['epoch_10.pth', 'epoch_2.pth', 'epoch_1.pth']


def test_all_damaged_is_an_error(run):
    for file in run.glob('epoch_*'):
        cut(file)
    with pytest.raises(ValueError, match='all 3 checkpoints of .* are damaged'):
        newest_checkpoint(run)


def test_run_that_saved_none_has_none(tmp_path):
    assert newest_checkpoint(tmp_path) is None


def test_pointer_out_of_reach_is_an_error_and_no_new_beginning(tmp_path):
    (tmp_path / 'last_checkpoint').write_text('/unmounted/run/epoch_3.pth')
    with pytest.raises(
        ValueError,
        match=r"last_checkpoint' names '/unmounted/run/"
        r"epoch_3\.pth'.*mounted.*`--resume PATH`",
    ):
        newest_checkpoint(tmp_path)


def test_checkpoint_on_another_storage_is_taken_as_it_is_named(tmp_path):
    (tmp_path / 'last_checkpoint').write_text('s3://bucket/run/epoch_3.pth')
    assert newest_checkpoint(tmp_path) == 's3://bucket/run/epoch_3.pth'


def test_damage_at_any_place_is_told_and_raises_nothing(run):
    file = run / 'epoch_10.pth'
    whole = file.read_bytes()
    for begin in range(0, len(whole), 97):
        noise = bytes(reversed(whole[begin : begin + 64]))
        file.write_bytes(whole[:begin] + noise + whole[begin + 64 :])
        assert isinstance(find_damage(file), str | None), begin


def test_another_one_than_the_pointer_names_is_taken_with_a_word(run):
    (run / 'last_checkpoint').write_text('/unmounted/epoch_11.pth')
    with mock.patch.object(MMLogger, 'warning') as warning:
        assert newest_checkpoint(run) == run / 'epoch_10.pth'
    assert "'/unmounted/epoch_11.pth', which does not" in warning.call_args.args[0]


def save(file, iterations, time):
    torch.save(
        dict(
            meta=dict(iter=iterations),
            weight=torch.ones(3),
            log=HistoryBuffer([1.0], [1]),
        ),
        file,
    )
    os.utime(file, (time, time))
    return file


@pytest.fixture
def killed(tmp_path):
    """The pointer names the fifth iteration; a kill came before it named the sixth."""
    save(tmp_path / 'epoch_1.pth', 4, 10)
    last = save(tmp_path / 'iter_5.pth', 5, 20)
    pointer = tmp_path / 'last_checkpoint'
    pointer.write_text(str(last))
    os.utime(pointer, (21, 21))
    return tmp_path


@pytest.mark.parametrize('is_safe', [False, True])
@pytest.mark.parametrize('name', ['iter_6.pth', 'epoch_2.pth'])
def test_checkpoint_that_a_kill_kept_out_of_the_pointer_is_the_newest(
    killed, name, is_safe, request
):
    if is_safe:
        request.getfixturevalue('safe_loading')
    assert newest_checkpoint(killed) == killed / 'iter_5.pth'
    save(killed / name, 6, 30)
    allowed = set(torch.serialization.get_safe_globals())
    assert newest_checkpoint(killed) == killed / name
    assert set(torch.serialization.get_safe_globals()) == allowed


def test_damaged_one_that_the_pointer_does_not_name_is_told(killed):
    cut(save(killed / 'iter_6.pth', 6, 30))
    with mock.patch.object(MMLogger, 'warning') as warning:
        assert newest_checkpoint(killed) == killed / 'iter_5.pth'
    assert "iter_6.pth' is damaged" in warning.call_args.args[0]


@pytest.mark.parametrize(
    'iterations, time',
    [(4, 30), (9, 15)],
    ids=['a copy with new times', 'of a run before, that went further'],
)
def test_other_one_than_the_pointer_names_is_not_newer(killed, iterations, time):
    save(killed / 'epoch_9.pth', iterations, time)
    assert newest_checkpoint(killed) == killed / 'iter_5.pth'
