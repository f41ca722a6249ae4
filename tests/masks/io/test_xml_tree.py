"""XML in any encoding is read, or a MaskError says which encoding it has not."""

import pytest

from cfcn_plugin.masks import MaskError, MaskLoader, VOCMasks
from cfcn_plugin.masks.io.xml_tree import parse_xml, read_xml

COW = '牛'
DOCTYPE = '<!DOCTYPE a [<!ENTITY b "bb">]>'


def document(encoding, text=COW, head=''):
    return f'<?xml version="1.0" encoding="{encoding}"?>{head}<a>{text}</a>'


@pytest.mark.parametrize(
    'encoding',
    [
        'gb2312',
        'GB18030',
        'gbk',
        'Shift_JIS',
        'EUC-JP',
        'Big5',
        'ISO-2022-JP',
        'EUC-KR',
        'UTF-8',
        'utf-16',
        'UTF-16LE',
        'UTF-16BE',
        'utf-32',
    ],
)
def test_any_encoding_that_is_declared_is_read(encoding):
    assert parse_xml(document(encoding).encode(encoding)).text == COW


@pytest.mark.parametrize('encoding', ['ISO-8859-1', 'windows-1252', 'US-ASCII'])
def test_encoding_of_one_byte_is_read(encoding):
    assert parse_xml(document(encoding, 'cow').encode(encoding)).text == 'cow'


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le'])
def test_encoding_that_is_not_declared_is_told_by_the_first_bytes(encoding):
    assert parse_xml(f'<a>{COW}</a>'.encode(encoding)).text == COW


def test_byte_order_mark_counts_more_than_the_declaration():
    assert parse_xml(document('gb2312').encode('utf-8-sig')).text == COW


@pytest.mark.parametrize(
    'encoding',
    [
        'foo',
        'hex',
        'rot13',
        'unicode_escape',
        'idna',
        'punycode',
        'UTF-7',
        'undefined',
        'os',
        'x' * 300,
    ],
)
def test_unknown_encoding_is_told_with_a_remedy(encoding):
    with pytest.raises(MaskError, match=f"its encoding '{encoding}'.*save it as UTF-8"):
        parse_xml(document(encoding, 'cow').encode())


@pytest.mark.parametrize(
    'data',
    [
        document('gb2312').encode('gb2312').replace(b'<a>', b'<a>\xff'),
        document('utf-8', '狗').encode('gb2312'),
        '<a>狗</a>'.encode('gb2312'),
        document('utf-16', 'cow').encode(),
        document('utf-16', 'cowx').encode(),
        document('utf-16').encode('utf-16')[:-1],
        document('us-ascii').encode('utf-8'),
    ],
)
def test_bytes_of_another_encoding_are_told_with_a_remedy(data):
    with pytest.raises(MaskError, match='not text in its encoding.*save it as UTF-8'):
        parse_xml(data)


@pytest.mark.parametrize(
    'encoding', ['utf-8', 'utf-16', 'utf-16-be', 'utf-32', 'gb2312', 'iso-2022-jp']
)
def test_document_type_is_refused_in_every_encoding(encoding):
    with pytest.raises(MaskError, match='has a document type'):
        parse_xml(document(encoding, '&b;', DOCTYPE).encode(encoding))


@pytest.mark.parametrize('data', [b'', b'\0', b'<a>', b'<a>&b;</a>', b'a' * 5000])
def test_what_is_no_xml_is_told(data):
    with pytest.raises(MaskError, match='^not XML'):
        parse_xml(data)


def test_missing_file_names_the_options(tmp_path):
    with pytest.raises(MaskError, match='cannot be read.*`annotations` or `data_root`'):
        read_xml(tmp_path / 'a.xml')


# ---- in training -------------------------------------------------------------


def loader(root, encoding, **options):
    text = (
        '<object><name>牛</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax>'
        '<ymax>2</ymax></bndbox></object>'
    )
    known = encoding if encoding != 'foo' else 'utf-8'
    (root / 'a.xml').write_bytes(
        document(encoding, text).replace('a>', 'annotation>').encode(known)
    )
    source = VOCMasks(str(root), 'bbox', images='', masks='.', names=[COW])
    return MaskLoader(source, **options)


def test_boxes_in_gb2312_give_their_mask(tmp_path):
    sample = dict(img_path=str(tmp_path / 'a.jpg'))
    record = loader(tmp_path, 'gb2312').load(sample, (3, 4)).record
    assert record.mask.sum() == 4


def test_unknown_encoding_follows_the_policy(tmp_path):
    sample = dict(img_path=str(tmp_path / 'a.jpg'))
    with pytest.raises(MaskError, match="a.xml': not text in its encoding 'foo'"):
        loader(tmp_path, 'foo').load(sample, (3, 4))
    unguided = loader(tmp_path, 'foo', on_error='unguided', warn=print)
    assert unguided.load(sample, (3, 4)).kind == 'unusable'
    assert unguided.query(sample, (3, 4)).kind == 'unusable'  # what check_masks asks
