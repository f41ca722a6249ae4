"""mmengine's backend for local files, with atomic writing."""

from pathlib import Path

from mmengine.fileio import LocalBackend

from cfcn_plugin.atomic_write import atomic_write


class AtomicFileBackend(LocalBackend):
    """``LocalBackend`` that writes files atomically.

    ``backend_args=dict(backend='atomic')`` selects this backend.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        atomic_write(filepath, obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        self.put(obj.encode(encoding), filepath)
