"""Names from outside cannot drive a terminal."""
import os

import pytest

from cfcn_plugin.printable import is_utf8, printable


@pytest.mark.parametrize('text,shown', [
    ('\x1b[2J.png', r'\x1b[2J.png'), ('\x1b]0;title\x07', r'\x1b]0;title\x07'),
    ('\x9b31m', r'\x9b31m'), ('a\rb\nc\td', r'a\rb\nc\td'), ('a\u2028b', r'a\u2028b'),
    ('\u202egnp.exe', r'\u202egnp.exe'), ('\u2067x\u2069', r'\u2067x\u2069'),
    ('a\u200bb', r'a\u200bb'), ('\0', r'\x00'), ('\x7f\x85', r'\x7f\x85'),
    (os.fsdecode(b'caf\xe9.png'), r'caf\udce9.png'),
])
def test_what_a_terminal_would_obey_is_escaped(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown
    assert printable(text).encode()


@pytest.mark.parametrize('text', [
    'a b-c_d.png', 'café', '写真\u3000一.jpg', 'می\u200cخواهم', '👩\u200d🔬', '☀\ufe0f',
    '$x_1$'])
def test_other_text_stays_as_it_is(text):
    assert printable(text) == text


def test_names_that_are_not_utf_8_are_known():
    assert is_utf8('写真.jpg') and not is_utf8(os.fsdecode(b'caf\xe9.png'))
