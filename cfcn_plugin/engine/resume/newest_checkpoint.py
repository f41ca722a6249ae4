"""The newest checkpoint that a run can go on from."""
import re
import zipfile
from pathlib import Path

from mmengine.logging import MMLogger

REGULAR = re.compile(r'(epoch|iter)_(\d+)\.pth')


def newest_checkpoint(work_dir: str | Path) -> Path | None:
    """The newest whole checkpoint of a run.

    The one that ``last_checkpoint`` names comes first, then the others of its folder,
    the newest first. One that is damaged is named in a warning and passed over.

    Args:
        work_dir: Of the run.

    Returns:
        None if the run has saved none.

    Raises:
        ValueError: There are some, and all are damaged.
    """
    found = saved_checkpoints(work_dir)
    for checkpoint in found:
        damage = damage_of(checkpoint)
        if damage is None:
            return checkpoint
        MMLogger.get_current_instance().warning(
            f"checkpoint '{checkpoint}' is damaged ({damage}): it is passed over, and "
            'what was trained after the one before is trained again')
    if found:
        raise ValueError(
            f"all {len(found)} checkpoints of '{work_dir}' are damaged: go on from a "
            'copy with `--resume PATH`, or start anew in another `--work-dir`')
    return None


def saved_checkpoints(work_dir: str | Path) -> list[Path]:
    """What may be checkpoints of a run, the one to go on from first."""
    work_dir = Path(work_dir)
    pointer, found = work_dir / 'last_checkpoint', []
    folders = [work_dir]
    named = pointer.read_text().strip() if pointer.is_file() else ''
    if named:  # a stock run that was killed may have left it empty
        last = Path(named)
        if not last.is_file():  # the folder may have been moved
            last = work_dir / last.name
        found.append(last)
        folders.append(last.parent)
    others = {file.resolve(): file for folder in folders
              for file in folder.glob('*.pth') if REGULAR.fullmatch(file.name)}
    others = sorted(
        others.values(), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    found = [file for file in found if file.is_file()]
    return found + [file for file in others if not any(map(file.samefile, found))]


def damage_of(checkpoint: Path) -> str | None:
    """What is wrong with the file of a checkpoint, by its own checksums.

    Nothing is unpickled.

    Returns:
        None if it is whole.
    """
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            bad = archive.testzip()
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        return f'{checkpoint.stat().st_size} bytes, {error}'
    return None if bad is None else f'{bad} has another checksum'
