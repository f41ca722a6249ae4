"""Reading a config file, with errors that name the file."""

import traceback
from json import JSONDecodeError
from pathlib import Path

from mmengine.config import Config
from yaml import YAMLError


def read_config_file(path: str | Path) -> Config:
    """mmengine's ``Config.fromfile``; an error of the text names file and line.

    Raises:
        SyntaxError: The file, or one of its base files, is not Python.
        ValueError: The file is not UTF-8, JSON or YAML.
    """
    try:
        return Config.fromfile(path)
    except SyntaxError as error:
        if error.filename not in (None, '<unknown>'):
            raise
        file = _parsed_file(error) or str(path)
        raise SyntaxError(
            error.msg, (file, error.lineno, error.offset, error.text)
        ) from None
    except (JSONDecodeError, UnicodeDecodeError, YAMLError) as error:
        file = _parsed_file(error) or str(path)
        raise ValueError(f"config '{file}' cannot be read: {error}") from error


def _parsed_file(error: Exception) -> str | None:
    """The base file that mmengine was reading; mmengine parses a text without name."""
    names = [
        str(frame.f_locals['filename'])
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_name in ('_file2dict', '_is_lazy_import')
    ]
    return names[-1] if names else None
