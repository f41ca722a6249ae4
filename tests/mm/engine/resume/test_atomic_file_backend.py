"""mmengine finds the backend by the backend's name."""

from mmengine.fileio import get_file_backend

from cfcn_plugin.mm.engine import AtomicFileBackend


def test_backend_makes_folders_and_writes_text(tmp_path):
    backend = get_file_backend(backend_args=dict(backend='atomic'))
    assert isinstance(backend, AtomicFileBackend)
    backend.put_text('ä', tmp_path / 'b' / 'c.txt')
    assert (tmp_path / 'b' / 'c.txt').read_text(encoding='utf-8') == 'ä'
