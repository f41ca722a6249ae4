"""Names from outside cannot drive a terminal."""

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfcn_plugin.printable import is_utf8, printable


@pytest.mark.parametrize(
    'text,shown',
    [
        ('\x1b[2J.png', r'\x1b[2J.png'),
        ('\x1b]0;title\x07', r'\x1b]0;title\x07'),
        ('\x9b31m', r'\x9b31m'),
        ('a\rb\nc\td', r'a\rb\nc\td'),
        ('a\u2028b', r'a\u2028b'),
        ('\u202egnp.exe', r'\u202egnp.exe'),
        ('\u2067x\u2069', r'\u2067x\u2069'),
        ('a\u200bb', r'a\u200bb'),
        ('\0', r'\x00'),
        ('\x7f\x85', r'\x7f\x85'),
        (os.fsdecode(b'caf\xe9.png'), r'caf\udce9.png'),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown
    assert printable(text).encode()


@pytest.mark.parametrize(
    'text',
    [
        'a b-c_d.png',
        'café',
        '写真\u3000一.jpg',
        'می\u200cخواهم',
        '👩\u200d🔬',
        '☀\ufe0f',
        '$x_1$',
    ],
)
def test_other_text_stays_as_it_is(text):
    assert printable(text) == text


def test_names_that_are_not_utf_8_are_known():
    assert is_utf8('写真.jpg') and not is_utf8(os.fsdecode(b'caf\xe9.png'))


@given(st.text(st.characters()))
def test_any_text_becomes_one_printable_line(text):
    shown = printable(text)
    assert f'{shown}.'.encode() and len(f'{shown}.'.splitlines()) == 1
    categories = {unicodedata.category(char) for char in shown}
    assert not categories & {'Cc', 'Cs', 'Zl', 'Zp'}
    assert not {unicodedata.bidirectional(char) for char in shown} & {
        'LRE',
        'RLE',
        'LRO',
        'RLO',
        'PDF',
        'LRI',
        'RLI',
        'FSI',
        'PDI',
    }
    assert printable(shown) == shown
