"""The newest checkpoint from which a run can resume."""

import zipfile
from pathlib import Path

import torch
from mmengine.logging import MMLogger

from cfcn_plugin.mm.safe_loading import safe_classes
from cfcn_plugin.work_dir import last_checkpoint, regular_checkpoints


def newest_checkpoint(work_dir: str | Path) -> Path | str | None:
    """The newest undamaged checkpoint of a run.

    The checkpoint in the file ``last_checkpoint`` comes first, then the others of the
    folder, the newest first. Before it come checkpoints that were written after that
    file, and after more iterations: a kill can come between the two. A warning names
    each skipped damaged checkpoint.

    Args:
        work_dir: The run's work dir.

    Returns:
        None if the run has saved no checkpoint. A checkpoint on another storage
        (``s3://...``) is returned unchecked, as written in ``last_checkpoint``.

    Raises:
        ValueError: All checkpoints are damaged; or the checkpoint in
            ``last_checkpoint`` does not exist, and there is no other checkpoint.
    """
    work_dir = Path(work_dir)
    warn = MMLogger.get_current_instance().warning
    named, pointer = last_checkpoint(work_dir), work_dir / 'last_checkpoint'
    if '://' in named:
        return named
    found = saved_checkpoints(work_dir)
    if named and not found:
        raise ValueError(
            f"'{pointer}' names '{named}', which does not exist: is its disk mounted? "
            'Resume with `--resume PATH`; for a new run, remove that file or give '
            'another `--work-dir`'
        )
    if not found:
        return None
    if named and Path(named).name not in [file.name for file in found]:
        warn(
            f"'{pointer}' names '{named}', which does not exist: '{found[0]}' is the "
            'newest of the others'
        )
    for checkpoint in found:
        damage = find_damage(checkpoint)
        if damage is None:
            return checkpoint
        warn(
            f"checkpoint '{checkpoint}' is damaged ({damage}) and is left out: the "
            'training after the checkpoint before is repeated'
        )
    raise ValueError(
        f"all {len(found)} checkpoints of '{work_dir}' are damaged: resume from a "
        'copy with `--resume PATH`, or start a new run in another `--work-dir`'
    )


def saved_checkpoints(work_dir: str | Path) -> list[Path]:
    """Possible checkpoint files of a run, the preferred file first."""
    work_dir = Path(work_dir)
    named = last_checkpoint(work_dir)
    last = Path(named)
    if not last.is_file():  # the folder may have been moved
        last = work_dir / last.name
    folders = {work_dir, last.parent} if named else {work_dir}
    found = [file for folder in folders for file in regular_checkpoints(folder)]
    if last.is_file():
        found.append(last)
    found = sorted(
        {file.resolve(): file for file in found}.values(),
        key=lambda file: (file != last, -file.stat().st_mtime_ns),
    )
    late = _saved_later(found, last, work_dir / 'last_checkpoint')
    return late + [file for file in found if file not in late]


def _saved_later(found: list[Path], last: Path, pointer: Path) -> list[Path]:
    """The checkpoints that a killed run has not yet named in ``last_checkpoint``.

    The numbers of iterations decide as well, since a copy of a folder may have new
    times. A damaged checkpoint is among them: its warning tells what is repeated.
    """
    if not last.is_file():
        return []
    written = pointer.stat().st_mtime_ns
    later = [
        file for file in found if file != last and file.stat().st_mtime_ns > written
    ]
    return [
        file
        for file in later
        if find_damage(file) or _iterations(file) > _iterations(last)
    ]


def _iterations(checkpoint: Path) -> int:
    """Iterations before a checkpoint, read without its weights; -1: unknown."""
    known = torch.serialization.get_safe_globals()
    # the context forgets its classes at the end, also those that were allowed before
    new = [one for one in safe_classes() if one not in known]
    try:
        with torch.serialization.safe_globals(new):
            content = torch.load(
                checkpoint, map_location='meta', mmap=True, weights_only=True
            )
        return int(content['meta']['iter'])
    except Exception:  # of another kind, or damaged: the run tells it when it loads it
        return -1


def find_damage(checkpoint: Path) -> str | None:
    """Check the file of a checkpoint by its checksums, without unpickling.

    Returns:
        A description of the damage; None if the file is complete.
    """
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            bad = archive.testzip()
    except Exception as error:  # zipfile raises errors of many types
        return f'{checkpoint.stat().st_size} bytes, {type(error).__name__}: {error}'
    return None if bad is None else f'{bad} has another checksum'
