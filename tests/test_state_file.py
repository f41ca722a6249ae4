"""State files that are cut, empty or of another version are named with a remedy."""

import re

import pytest

from cfcn_plugin.state_file import read_state


def test_object_is_read(tmp_path):
    (tmp_path / 'a.json').write_text('{"a": 1}')
    assert read_state(tmp_path / 'a.json', 'Delete it') == {'a': 1}
    assert read_state(tmp_path / 'a.json', 'Delete it', ['a']) == {'a': 1}


@pytest.mark.parametrize(
    'content,reason',
    [
        (b'', 'is it whole'),
        (b'{"a": ', 'is it whole'),
        (b'\xff\xfe\xfa', 'is it whole'),
        (b'[' * 100_000, 'is it whole'),
        (None, 'is it whole'),
        (b'[1]', 'got list'),
        (b'{"a": 1, "b": 2}', r"with \['a'\], got \['a', 'b'\]"),
        (b'{}', r'got \[\]'),
    ],
)
def test_file_that_cannot_be_used_is_named_with_the_remedy(tmp_path, content, reason):
    file = tmp_path / 'a.json'
    if content is not None:
        file.write_bytes(content)
    message = f'{re.escape(str(file))}.*{reason}.*Delete it'
    with pytest.raises(ValueError, match=message):
        read_state(file, 'Delete it', ['a'])
