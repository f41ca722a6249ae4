"""The command ``cfcn`` runs a tool, or lists the tools."""

import os
import sys

import pytest

from cfcn_plugin.command_line import commands, find_command, main


def test_every_tool_is_a_command_and_its_first_word_will_do():
    known = commands()
    assert {'train', 'test', 'draw-masks', 'export', 'get-data'} <= set(known)
    for name, file in known.items():
        assert file.is_file()
        assert find_command(name) == file
    assert find_command('draw') == known['draw-masks']
    assert find_command('launch') is None


def test_a_tool_takes_the_place_of_the_process_with_its_arguments(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['cfcn', 'draw', 'images', '--out', 'masks'])
    ran = []
    monkeypatch.setattr(os, 'execv', lambda *given: ran.append(given))
    main()
    tool = str(commands()['draw-masks'])
    python = sys.executable
    assert ran == [(python, [python, tool, 'images', '--out', 'masks'])]


@pytest.mark.parametrize('given', [[], ['-h'], ['--help']])
def test_help_lists_each_command_with_what_it_does(given, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['cfcn', *given])
    main()
    said = capsys.readouterr().out
    for name in commands():
        assert f'\n  {name} ' in said
    assert 'Train a' in said and 'Configs are in ' in said


def test_an_unknown_command_is_answered_by_the_list(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['cfcn', 'trian'])
    with pytest.raises(SystemExit, match=r"no command 'trian'(.|\n)*\n  train "):
        main()
