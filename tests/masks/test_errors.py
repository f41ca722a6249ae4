"""Errors say the place in the file, and print nothing that a terminal obeys."""

import pickle

import pytest

from cfcn_plugin.masks import MaskError, MaskSizeError
from cfcn_plugin.masks.errors import at, check_size, unknown_keys_error


def test_mask_error_is_a_value_error():
    assert issubclass(MaskError, ValueError)


@pytest.mark.parametrize('text', ['\x1b[2J', '\u202ex', 'a\nb', '\udce9', '\u2028'])
def test_message_quotes_a_file_without_what_a_terminal_obeys(text):
    error = MaskError(f"'{text}' is cut")
    with pytest.raises(MaskError) as caught, at(f"'{text}.json'"):
        raise error
    shown = (
        text.encode('ascii', 'backslashreplace')
        .decode()
        .encode('unicode_escape')
        .decode()
        .replace('\\\\', '\\')
    )
    assert str(caught.value) == f"'{shown}.json': '{shown}' is cut"


def test_size_error_survives_the_way_out_of_a_worker():
    check_size((4, 5), [4, 5])
    with (
        pytest.raises(MaskSizeError, match=r"^'a.png': .*\(2, 3\)") as caught,
        at("'a.png'"),
    ):
        check_size((2, 3), (4, 5))
    error = caught.value
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.size, str(copy)) == ((2, 3), str(error))
    assert isinstance(MaskSizeError('text alone'), MaskError)  # what torch does


def test_places_add_up_from_the_outside():
    with (
        pytest.raises(MaskError, match="^'a.json', line 3: is cut$"),
        at("'a.json'"),
        at('line 3'),
    ):
        raise MaskError('is cut')
    with pytest.raises(ValueError, match='^other$'), at("'a.json'"):
        raise ValueError('other')


def test_unknown_names_tell_those_that_differ_in_case():
    text = str(unknown_keys_error({'a/B', 'c'}, 'masks', "folder 'm'", {'A/b', 'd'}))
    assert "'a/B' (did you mean 'A/b'?), 'c':" in text
