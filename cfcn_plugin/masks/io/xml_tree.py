"""The elements of an XML file in any encoding, without a document type."""

import codecs
import json
import re
from pathlib import Path
from xml.etree.ElementTree import (
    Element,
    ParseError,
    TreeBuilder,
    XMLParser,
    fromstring,
)

from cfcn_plugin.masks.errors import MaskError

DECLARED = re.compile(rb'\s*<\?xml[^>]*?\sencoding\s*=\s*["\']([A-Za-z][\w.:-]*)["\']')
# codecs of Python that are no encodings of files
NOT_FOR_FILES = ('idna', 'punycode', 'unicode-escape', 'raw-unicode-escape', 'utf-7')


def read_xml(file: Path) -> Element:
    """:func:`parse_xml` of a file.

    Raises:
        MaskError: The file cannot be read, or see :func:`parse_xml`.
    """
    try:
        data = file.read_bytes()
    except OSError as error:  # a MaskError, which `on_error` can handle
        raise MaskError(
            f'cannot be read ({error.strerror}): add it, or correct '
            '`annotations` or `data_root`'
        ) from error
    return parse_xml(data)


def parse_xml(data: bytes) -> Element:
    """The root of an XML document.

    Python decodes the text, since expat has only five encodings.

    Raises:
        MaskError: The data is not XML, has an encoding that Python does not know, is
            not text in its encoding, or has a document type.
    """
    try:
        return fromstring(_decode(data), XMLParser(target=_PlainTree()))
    except ParseError as error:
        raise MaskError(f'not XML ({error})') from error


def _decode(data: bytes) -> str:
    encoding = json.detect_encoding(data)  # by a byte order mark, or zero bytes
    declared = DECLARED.match(data, 0, 1000)
    if encoding == 'utf-8' and declared:
        encoding = declared[1].decode()
    try:
        if codecs.lookup(encoding).name in NOT_FOR_FILES:
            raise LookupError(f'unknown encoding: {encoding}')
        text = data.decode(encoding)
        text.encode()  # a lone surrogate is no text
        if declared and not text.lstrip().startswith('<?xml'):
            raise LookupError('the declaration itself has another encoding')
        return text
    except (LookupError, UnicodeError) as error:
        raise MaskError(
            f"not text in its encoding '{encoding}' ({error}): save it as "
            'UTF-8, and declare encoding="UTF-8"'
        ) from error


class _PlainTree(TreeBuilder):
    def doctype(self, name, public, system):
        raise MaskError(
            'has a document type (<!DOCTYPE ...>), which could define '
            'entities that fill the memory: remove the document type'
        )
