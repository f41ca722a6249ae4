"""The newest checkpoint that a run can go on from."""
import re
import zipfile
from pathlib import Path

from mmengine.logging import MMLogger

REGULAR = re.compile(r'(epoch|iter)_(\d+)\.pth')


def newest_checkpoint(work_dir: str | Path) -> Path | str | None:
    """The newest whole checkpoint of a run.

    The one that ``last_checkpoint`` names comes first, then the others of its folder,
    the newest first. One that is damaged is named in a warning and passed over.

    Args:
        work_dir: Of the run.

    Returns:
        None if the run has saved none. One on another storage (``s3://...``) is given
        as ``last_checkpoint`` names it, unseen.

    Raises:
        ValueError: There are some, and all are damaged; or ``last_checkpoint`` names
            one that is out of reach, and there is no other.
    """
    work_dir = Path(work_dir)
    named = _named_last(work_dir)
    if '://' in named:
        return named
    found = saved_checkpoints(work_dir)
    if named and found and Path(named).name not in [file.name for file in found]:
        MMLogger.get_current_instance().warning(
            f"'{work_dir / 'last_checkpoint'}' names '{named}', which is not there: "
            f"'{found[0]}' is the newest of the others")
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
    if named:
        raise ValueError(
            f"'{work_dir / 'last_checkpoint'}' names '{named}', which is not "
            'there: is its disk mounted? Go on with `--resume PATH`; to begin anew, '
            'remove that file or give another `--work-dir`')
    return None


def has_checkpoint(work_dir: str | Path) -> bool:
    """Whether a run has saved one, within reach or not."""
    return bool(_named_last(Path(work_dir)) or saved_checkpoints(work_dir))


def saved_checkpoints(work_dir: str | Path) -> list[Path]:
    """What may be checkpoints of a run, the one to go on from first."""
    work_dir = Path(work_dir)
    folders, found = [work_dir], []
    named = _named_last(work_dir)
    if named:
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


def _named_last(work_dir: Path) -> str:
    """What ``last_checkpoint`` names; a stock run that is killed may leave it empty."""
    pointer = work_dir / 'last_checkpoint'
    return pointer.read_text().strip() if pointer.is_file() else ''


def damage_of(checkpoint: Path) -> str | None:
    """What is wrong with the file of a checkpoint, by its own checksums.

    Nothing is unpickled.

    Returns:
        None if it is whole.
    """
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            bad = archive.testzip()
    except Exception as error:  # zipfile tells of damage by errors of many types
        return f'{checkpoint.stat().st_size} bytes, {type(error).__name__}: {error}'
    return None if bad is None else f'{bad} has another checksum'
