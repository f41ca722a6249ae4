"""Files are whole, or as they were."""

import errno
import os
import resource
import signal
import subprocess
import sys
from unittest import mock

import pytest

from cfcn_plugin.atomic_write import atomic_write, partial_of


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_file_is_replaced_and_nothing_else_is_left(tmp_path):
    file = tmp_path / 'a.pth'
    for content in (b'one', b'another'):
        atomic_write(file, content)
        assert file.read_bytes() == content
    assert names(tmp_path) == ['a.pth']


@pytest.mark.parametrize('step', ['os.fsync', 'os.replace'])
def test_full_disk_leaves_what_was_there(tmp_path, step):
    file = tmp_path / 'a.pth'
    atomic_write(file, b'one')
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with (
        mock.patch(step, side_effect=full),
        pytest.raises(
            OSError, match=r'No space left.*0\.0 MiB could not.*a\.pth'
        ) as error,
    ):
        atomic_write(file, b'another')
    assert error.value.errno == errno.ENOSPC
    assert file.read_bytes() == b'one'
    assert names(tmp_path) == ['a.pth']


def test_limit_of_the_system_is_an_error_too(tmp_path):
    file = tmp_path / 'a.pth'
    atomic_write(file, b'one')
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        with pytest.raises(OSError, match=r'File too large; 2\.0 MiB'):
            atomic_write(file, bytes(2**21))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert file.read_bytes() == b'one'
    assert names(tmp_path) == ['a.pth']


def test_kill_while_it_writes_leaves_what_was_there(tmp_path):
    file = tmp_path / 'a.pth'
    atomic_write(file, b'one')
    code = (
        'import os; from cfcn_plugin.atomic_write import atomic_write;'
        'os.fsync = lambda handle: os.kill(os.getpid(), 9);'
        f"atomic_write({str(file)!r}, b'another')"
    )
    assert subprocess.run([sys.executable, '-c', code]).returncode == -9
    assert file.read_bytes() == b'one'
    assert names(tmp_path) == ['.a.pth.partial', 'a.pth']


def test_text_is_written_as_it_is_in_utf_8(tmp_path):
    atomic_write(tmp_path / 'a.csv', 'ä\r\n')
    assert (tmp_path / 'a.csv').read_bytes() == 'ä\r\n'.encode()


@pytest.mark.parametrize('sync', [True, False])
def test_the_disk_is_waited_for_where_asked(tmp_path, sync):
    with mock.patch('os.fsync') as wait:
        atomic_write(tmp_path / 'a.png', b'one', sync=sync)
    assert wait.called == sync
    assert (tmp_path / 'a.png').read_bytes() == b'one'


def test_link_in_place_of_the_partial_file_is_not_followed(tmp_path):
    secret, file = tmp_path / 'secret', tmp_path / 'a.png'
    secret.write_text('mine')
    partial_of(file).symlink_to(secret)
    atomic_write(file, 'new')
    assert secret.read_text() == 'mine'
    assert file.read_text() == 'new' and not file.is_symlink()
