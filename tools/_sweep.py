"""One child process a name, with a time limit; resumable, with progress shown."""
import json
import multiprocessing
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn


def sweep(names: Iterable[str],
          check: Callable[[str], dict],
          record: Path,
          limit: float = 120,
          jobs: int = 2) -> dict[str, dict]:
    """Call ``check(name)`` in a forked process for each name not yet recorded.

    What a check returns is appended to ``record`` as one JSON line at once, so that a
    killed sweep goes on where it was. An exception, a crash or a check past its limit
    is recorded as ``{'verdict': 'error', 'reason': ...}``.

    Args:
        names: What to check.
        check: Returns a dict that JSON can hold.
        record: The file of results; parents are made.
        limit: Seconds for one name.
        jobs: Processes at once, one thread each.

    Returns:
        The results of all ``names``, earlier ones included.
    """
    names = list(names)
    record.parent.mkdir(parents=True, exist_ok=True)
    done = _read(record)
    todo = [name for name in names if name not in done]
    fork = multiprocessing.get_context('fork')  # the imports are paid once
    running = {}
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(),
               TimeRemainingColumn())
    with Progress(*columns) as progress, record.open('a') as log:
        bar = progress.add_task('checking', total=len(names), completed=len(names) -
                                len(todo))
        while todo or running:
            while todo and len(running) < jobs:
                name = todo.pop(0)
                here, there = fork.Pipe(duplex=False)
                child = fork.Process(target=_child, args=(check, name, there))
                child.start()
                there.close()
                running[name] = child, here, time.monotonic() + limit
            for name, (child, here, end) in list(running.items()):
                late = time.monotonic() > end
                if not (here.poll() or late or not child.is_alive()):
                    continue
                done[name] = _result(child, here, limit)
                log.write(json.dumps({'name': name, **done[name]}) + '\n')
                log.flush()
                del running[name]
                progress.update(bar, advance=1, description=name[-40:])
            time.sleep(0.02)
    return {name: done[name] for name in names}


def _child(check, name, pipe):
    torch.set_num_threads(1)
    try:
        result = check(name)
    except Exception as error:
        lines = str(error).strip().splitlines() or ['']
        result = dict(verdict='error', reason=f'{type(error).__name__}: {lines[0]}')
    pipe.send(result)


def _result(child, pipe, limit) -> dict:
    try:
        if pipe.poll():
            return pipe.recv()
        if child.is_alive():
            return dict(verdict='error', reason=f'took longer than {limit:.0f} s')
        return dict(verdict='error', reason=f'died with exit code {child.exitcode}')
    except EOFError:
        child.join()
        return dict(verdict='error', reason=f'died with exit code {child.exitcode}')
    finally:
        child.kill()
        child.join()


def _read(record: Path) -> dict[str, dict]:
    if not record.exists():
        return {}
    done = {}
    for line in record.read_text().splitlines():
        try:
            result = json.loads(line)
        except json.JSONDecodeError:  # the line a kill cut short
            continue
        done[result.pop('name')] = result
    return done
