"""What is drawn and not saved yet, on the disk: a kill or a refresh loses nothing."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from cfcn_plugin.annotation.png_folder import mask_name
from cfcn_plugin.atomic_write import atomic_write
from cfcn_plugin.masks.io.names import join_inside

FOLDER = '.drafts'  # below the folder of masks; no file in it ends as a mask does


class Draft(NamedTuple):
    """What is drawn on an image.

    Attributes:
        revision: Of the mask that was drawn upon.
        runs: :func:`.encode_runs` of the labels.
        steps: What the page needs to undo and redo; the page alone reads it.
    """

    revision: str
    runs: bytes
    steps: bytes = b''


class Drafts:
    """The drafts of a folder of masks, a file for each image.

    Args:
        masks: Folder of masks.
    """

    def __init__(self, masks: str | Path):
        self.folder = Path(masks) / FOLDER

    def read(self, name: str) -> Draft | None:
        """The draft of an image; None if there is none, or if it is damaged."""
        try:
            line, _, content = self._file(name).read_bytes().partition(b'\n')
            head = json.loads(line)
            runs = content[: head.get('runs')]  # all, in a draft without steps
            return Draft(str(head['revision']), runs, content[len(runs) :])
        except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def write(self, name: str, draft: Draft) -> None:
        file = self._file(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        head = json.dumps(dict(revision=draft.revision, runs=len(draft.runs))).encode()
        atomic_write(file, head + b'\n' + draft.runs + draft.steps, sync=False)

    def remove(self, name: str) -> None:
        self._file(name).unlink(missing_ok=True)

    def names(self, names: list[str]) -> list[str]:
        """Those of ``names`` that have a draft."""
        if not self.folder.is_dir():
            return []
        return [name for name in names if self._file(name).is_file()]

    def close(self) -> None:
        """Remove the folder if no draft is left."""
        if self.folder.is_dir() and not any(
            file.is_file() for file in self.folder.rglob('*')
        ):
            shutil.rmtree(self.folder)

    def _file(self, name: str) -> Path:
        return join_inside(self.folder, f'{mask_name(name)[: -len(".png")]}.draft')
