"""A folder is for one process at a time."""

import os

import pytest

from cfcn_plugin.folder_lock import lock_folder


def test_a_folder_in_use_is_refused_and_its_owner_is_named(tmp_path):
    with (
        lock_folder(tmp_path),
        pytest.raises(RuntimeError, match='in use'),
        lock_folder(tmp_path, patience=0.01),
    ):
        pass
    with lock_folder(tmp_path):
        assert (tmp_path / '.owner').read_text() == str(os.getpid())
