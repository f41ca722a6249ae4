"""An extension of Griffe: what docstrings write in reST, as Markdown."""

import re

import griffe

ROLE = re.compile(r':\w+:`~?(?:[^`<]*\.)?([^`<.]+)`')


class Docstrings(griffe.Extension):
    """:class:`.PNGMasks` becomes `PNGMasks`, and ``::`` before a block one colon."""

    def on_instance(self, *, obj: griffe.Object, **_) -> None:
        if obj.docstring is not None:
            text = ROLE.sub(r'`\1`', obj.docstring.value)
            obj.docstring.value = re.sub(r'::(?=\n\n)', ':', text)
