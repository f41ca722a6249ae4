"""An error in the text of a config names its file and line."""

import re

import pytest

from cfcn_plugin.mm.config import read_config_file


@pytest.mark.parametrize('base', [False, True], ids=['itself', 'a base of its base'])
def test_syntax_error_names_file_and_line(tmp_path, base):
    wrong = tmp_path / 'wrong.py'
    wrong.write_text('a = 1\nb = = 2\n')
    (tmp_path / 'middle.py').write_text("_base_ = './wrong.py'\n")
    (tmp_path / 'top.py').write_text("_base_ = './middle.py'\n")
    with pytest.raises(SyntaxError) as raised:
        read_config_file(tmp_path / 'top.py' if base else wrong)
    assert raised.value.filename.endswith('wrong.py')
    assert (raised.value.lineno, raised.value.text.strip()) == (2, 'b = = 2')


@pytest.mark.parametrize(
    'name, content',
    [
        ('x.json', b'{"a": }'),
        ('x.yaml', b'a: [1'),
        ('x.py', 'a = "é"'.encode('latin1')),
    ],
)
@pytest.mark.parametrize('base', [False, True])
def test_file_that_is_not_in_its_format_is_named(tmp_path, name, content, base):
    (tmp_path / name).write_bytes(content)
    top = tmp_path / name
    if base:
        top = tmp_path / 'top.py'
        top.write_text(f"_base_ = './{name}'\n")
    with pytest.raises(ValueError, match=re.escape(name) + "' cannot be read"):
        read_config_file(top)


def test_good_config_is_read(tmp_path):
    (tmp_path / 'x.py').write_text('a = [1]\n')
    assert read_config_file(tmp_path / 'x.py').a == [1]


def test_error_of_running_a_config_is_left_alone(tmp_path):
    (tmp_path / 'x.py').write_text('a = nothing\n')
    with pytest.raises(NameError, match='nothing'):
        read_config_file(tmp_path / 'x.py')
