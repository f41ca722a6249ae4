"""The command ``cfcn``: ``cfcn train ...`` runs ``tools/train.py`` as it stands."""

import ast
import os
import sys
from pathlib import Path


def home() -> Path:
    """The folder with ``configs`` and ``tools``: a checkout, or ``.mim``."""
    package = Path(__file__).parent
    return package / '.mim' if (package / '.mim').is_dir() else package.parent


def commands() -> dict[str, Path]:
    """Each command, and the file in ``tools`` that it runs.

    A command has its file's name, with ``-`` for ``_``.
    """
    return {
        file.stem.replace('_', '-'): file
        for file in sorted((home() / 'tools').glob('[!_]*.py'))
    }


def find_command(name: str) -> Path | None:
    """The file of a command by its name or by the first word of the name."""
    known = commands()
    short = [file for command, file in known.items() if command.split('-')[0] == name]
    return known.get(name) or (short[0] if len(short) == 1 else None)


def main() -> None:
    """Replace this process by the tool's: signals and exit codes are the tool's own.

    Raises:
        SystemExit: There is no such command; the message lists all of them.
    """
    name, *arguments = sys.argv[1:] or ['--help']
    if name in ('-h', '--help'):
        print(usage())
        return
    file = find_command(name)
    if file is None:
        raise SystemExit(f'cfcn: there is no command {name!r}\n\n{usage()}')
    os.execv(sys.executable, [sys.executable, str(file), *arguments])


def usage() -> str:
    """The commands, each with the first line of its tool's docstring."""
    width = max(map(len, commands()))
    return '\n'.join(
        [
            'usage: cfcn COMMAND ...     (cfcn COMMAND --help prints its arguments)',
            '',
            *(
                f'  {name:{width}}  {_first_line(file)}'
                for name, file in commands().items()
            ),
            '',
            'The first word of a name will do: cfcn draw',
            f'Configs are in {home() / "configs"}',
        ]
    )


def _first_line(file: Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text(encoding='utf-8'))) or ''
    return text.split('\n')[0]
