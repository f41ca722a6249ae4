"""mmengine's backend for local files, which writes complete files."""
from pathlib import Path

from mmengine.fileio import LocalBackend

from cfcn_plugin.atomic_write import atomic_write


class AtomicFileBackend(LocalBackend):
    """``LocalBackend`` whose files are complete, or as they were before.

    ``backend_args=dict(backend='atomic')`` asks for this backend.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        atomic_write(filepath, obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        self.put(obj.encode(encoding), filepath)
