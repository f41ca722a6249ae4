"""One child process a name, with a time limit; resumable, with progress shown."""

import json
import multiprocessing
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from multiprocessing.connection import wait
from pathlib import Path

import torch
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

FORK = multiprocessing.get_context('fork')  # the imports are paid once


@dataclass
class Sweep:
    """Runs checks, and remembers their results in a folder.

    Args:
        folder: Where results are kept. A killed sweep goes on where it was.
        only: Pattern of the names to check.
        limit: Seconds for one name, an integer.
        jobs: Processes at once, one thread each.
    """

    folder: Path
    only: str = '*'
    limit: int = 600
    jobs: int = 2

    def listed(self, stage: str, make: Callable[[], Iterable[str]]) -> list[str]:
        """The names that ``make`` gave when it was first called."""
        file = self.folder / f'{stage}_names.json'
        if not file.exists():
            names = sorted(make())
            self.folder.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(names))
        return json.loads(file.read_text())

    def run(
        self, stage: str, names: Iterable[str], check: Callable[[str], dict]
    ) -> dict[str, dict]:
        """Call ``check(name)`` in a forked process for each name not yet recorded.

        What a check returns is appended to STAGE.jsonl at once. An exception, a
        crash or a check past its limit is recorded as
        ``{'verdict': 'error', 'reason': ...}``.

        Args:
            stage: Names the record.
            names: What to check.
            check: Returns a dict that JSON can hold.

        Returns:
            The results of all names that ``only`` fits, earlier ones included.
        """
        names = [name for name in names if fnmatch(name, self.only)]
        self.folder.mkdir(parents=True, exist_ok=True)
        record = self.folder / f'{stage}.jsonl'
        done = _read(record)
        todo = [name for name in names if name not in done]
        columns = (
            *Progress.get_default_columns()[:2],
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns) as progress, record.open('a') as log:
            bar = progress.add_task(
                stage, total=len(names), completed=len(names) - len(todo)
            )
            for name, result in self._results(check, todo):
                done[name] = result
                log.write(json.dumps({'name': name, **result}) + '\n')
                log.flush()
                progress.update(bar, advance=1, description=name[-40:])
        return {name: done[name] for name in names}

    def _results(self, check, names):
        todo, running = list(names), {}
        while todo or running:
            while todo and len(running) < self.jobs:
                here, there = FORK.Pipe(duplex=False)
                name = todo.pop(0)
                child = FORK.Process(
                    target=_child, args=(check, name, there, self.limit)
                )
                child.start()
                there.close()
                running[here] = name, child
            for pipe in wait(list(running)):
                name, child = running.pop(pipe)
                yield name, self._result(pipe, child)

    def _result(self, pipe, child) -> dict:
        try:
            return pipe.recv()
        except EOFError:  # it died
            child.join()
            code = child.exitcode
            return dict(
                verdict='error',
                reason=(
                    f'took longer than {self.limit} s'
                    if code == -signal.SIGALRM
                    else f'died with exit code {code}'
                ),
            )
        finally:
            child.kill()
            child.join()


def _child(check, name, pipe, limit):
    signal.alarm(limit)  # ends this process
    torch.set_num_threads(1)
    try:
        result = check(name)
    except Exception as error:
        result = dict(verdict='error', reason=first_line(error))
    pipe.send(result)


def first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or ['']
    return f'{type(error).__name__}: {lines[0][:120]}'


def _read(record: Path) -> dict[str, dict]:
    done = {}
    for line in record.read_text().splitlines() if record.exists() else ():
        try:
            result = json.loads(line)
        except json.JSONDecodeError:  # the line a kill cut short
            continue
        done[result.pop('name')] = result
    return done
