"""What a tool says of its user's errors, and how little it imports for that."""

import subprocess
import sys
from pathlib import Path

import _one_line_errors
import pytest

TOOLS = Path(__file__).parents[2] / 'tools'
# runs each tool with --help in one process, and says what the tools have imported
HELP = """
import contextlib, io, runpy, sys
for tool in sys.argv[1:]:
    sys.path.insert(0, tool.rpartition('/')[0])
    sys.argv = [tool, '--help']
    out = io.StringIO()
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(out):
        runpy.run_path(tool, run_name='__main__')
    assert '--traceback' in out.getvalue(), tool
    assert not {'torch', 'mmengine', 'matplotlib'} & set(sys.modules), tool
"""
FAST = sorted(TOOLS.glob('[!_]*.py'))


def told(error, capsys):
    _one_line_errors.show(type(error), error, None)
    return capsys.readouterr().err


def test_help_imports_nothing_slow():
    done = subprocess.run(
        [sys.executable, '-c', HELP, *map(str, FAST)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    'error, text',
    [
        (ValueError('`a` must be 1, got 2'), '`a` must be 1, got 2'),
        (KeyError("'Nope' is not in the registry"), "'Nope' is not in the registry"),
        (
            RuntimeError(
                'Caught MaskError in DataLoader worker process 0.\nOriginal '
                'Traceback (most recent call last):\n  File "a.py", line 1\n'
                'cfcn_plugin.masks.failures.MaskError: no mask of a.jpg\n'
            ),
            'no mask of a.jpg',
        ),
        (OSError(), 'OSError'),
    ],
)
def test_an_error_is_one_line(monkeypatch, capsys, error, text):
    monkeypatch.setattr(sys, 'argv', ['tools/train.py'])
    assert told(error, capsys) == f'train.py: error: {text}\n'


def test_a_defect_of_the_program_keeps_its_traceback(capsys):
    assert 'AttributeError: x' in told(AttributeError('x'), capsys)
    assert told(KeyboardInterrupt(), capsys) == 'interrupted\n'


def test_traceback_is_an_option(monkeypatch):
    before = sys.excepthook
    monkeypatch.setattr(sys, 'excepthook', before)
    monkeypatch.setattr(sys, 'argv', ['train.py', '--traceback', 'c.py'])
    _one_line_errors.install()
    assert sys.argv == ['train.py', 'c.py'] and sys.excepthook is before
    _one_line_errors.install()
    assert sys.excepthook is _one_line_errors.show
