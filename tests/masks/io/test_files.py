"""Text, JSON and CSV in other encodings, and the ends of lines."""

import codecs
import json
import subprocess

import pytest

from cfcn_plugin.masks import BoxMasks, CVATMasks, MaskError, read_guided_list
from cfcn_plugin.masks.io.files import decode_lines, read_json, read_lines

CSV = 'filename,x0,y0,x1,y1\n狗.jpg,0,0,2,2\n'
JSON = json.dumps({'狗.jpg': [[0, 0, 2, 2]]}, ensure_ascii=False)
ENCODINGS = ['utf-16', 'gb18030', 'shift_jis', 'euc-jp']


@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
def test_lines_end_as_in_an_editor(end):
    text = end.join(['a.jpg', '', ' b.jpg', 'c.jpg'])
    assert list(decode_lines(text.encode())) == [
        ('line 1', 'a.jpg'),
        ('line 3', ' b.jpg'),
        ('line 4', 'c.jpg'),
    ]


@pytest.mark.parametrize('separator', '\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e')
def test_other_separators_may_be_in_a_name(separator):
    assert list(decode_lines(f'a{separator}b.jpg\n'.encode())) == [
        ('line 1', f'a{separator}b.jpg')
    ]


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize('name,text', [('x.csv', CSV), ('x.json', JSON)])
def test_annotations_in_another_encoding_are_told(tmp_path, name, text, encoding):
    (tmp_path / name).write_bytes(text.encode(encoding, 'replace'))
    what = 'a CSV file' if name == 'x.csv' else 'JSON'
    with pytest.raises(MaskError, match=f"{name}': not {what} in UTF-8.*save it as UT"):
        BoxMasks(name, str(tmp_path))


@pytest.mark.parametrize(
    'read',
    [
        lambda root: list(read_lines(root / 'labelmap.txt')),
        lambda root: read_guided_list(str(root / 'labelmap.txt')),
        lambda root: CVATMasks('.', data_root=str(root)),
    ],
)
@pytest.mark.parametrize('encoding', ENCODINGS)
def test_lists_in_another_encoding_are_told(tmp_path, read, encoding):
    (tmp_path / 'labelmap.txt').write_bytes('狗:1,2,3::\n'.encode(encoding, 'replace'))
    with pytest.raises(MaskError, match='not text in UTF-8.*save it as UTF-8'):
        read(tmp_path)


@pytest.mark.parametrize('order', [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_file_that_begins_as_utf_16_is_told_so(tmp_path, order):
    (tmp_path / 'x.json').write_bytes(order + b'\0{\0}')
    with pytest.raises(MaskError, match='it begins as UTF-16: save it as .*-f UTF-16'):
        read_json(tmp_path / 'x.json', dict)


@pytest.mark.parametrize('encoding', ['UTF-16', 'GB18030'])
def test_command_in_the_message_makes_the_file_readable(tmp_path, encoding):
    (tmp_path / 'OLD').write_bytes(JSON.encode(encoding))
    with pytest.raises(MaskError) as caught:
        read_json(tmp_path / 'OLD', dict)
    command = str(caught.value).split('`')[1].replace('ENCODING', encoding)
    assert command == f'iconv -f {encoding} -t UTF-8 OLD > NEW'
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    assert read_json(tmp_path / 'NEW', dict) == json.loads(JSON)
