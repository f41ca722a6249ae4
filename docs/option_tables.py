"""Write the tables of options into the pages, from signatures and docstrings.

    python docs/option_tables.py

A page says where: ``<!-- options of cfcn_plugin.masks.BoxMasks -->``. The table stays
in the page, so that the page can be read on a code host.
"""

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path

DOCS = Path(__file__).parent
PLACES = re.compile(
    r'(?<=<!-- options of )([\w.]+)((?: without)?)((?: \w+)*) -->\n'
    r'.*?(?=<!-- end of options -->)',
    re.S,
)
ROLE = re.compile(r':\w+:`~?(?:[^`<]*\.)?([^`<.]+)`')
LONG = 44  # characters of a default


def main() -> None:
    """Write the pages whose tables are not those of today."""
    for page in sorted(DOCS.rglob('*.md')):
        before = page.read_text(encoding='utf-8')
        after = with_tables(before)
        if after != before:
            page.write_text(after, encoding='utf-8')
            print(f'wrote {page}')


def with_tables(text: str) -> str:
    """A page whose tables of options are those of today."""
    return PLACES.sub(
        lambda match: (
            f'{match[1]}{match[2]}{match[3]} -->\n{table(match[1], match[3].split())}\n'
        ),
        text,
    )


def table(name: str, without: list[str]) -> str:
    """The options of a class or function, in the order of its signature."""
    module, _, attribute = name.rpartition('.')
    owner = getattr(import_module(module), attribute)
    said = arguments(inspect.getdoc(owner) or '')
    rows = ['| option | default | what it does |', '|---|---|---|']
    for option, parameter in inspect.signature(owner).parameters.items():
        if option in without:
            continue
        if option not in said:
            raise ValueError(f'`{option}` of {name} is not in its docstring')
        rows.append(f'| `{option}` | {default(parameter)} | {said[option]} |')
    return '\n'.join(rows)


def default(parameter: inspect.Parameter) -> str:
    """A default as code; of a long one its length."""
    if parameter.kind is parameter.VAR_KEYWORD:
        return ''
    if parameter.default is parameter.empty:
        return 'required'
    text = repr(parameter.default)
    return f'`{text}`' if len(text) <= LONG else f'{len(parameter.default)} values'


def arguments(docstring: str) -> dict[str, str]:
    """What "Args:" says of each argument, on one line of Markdown."""
    section = re.search(r'^Args:\n(.*?)(?=^\S|\Z)', docstring, re.S | re.M)
    entries = re.split(r'^ {4}(?=\S)', section[1] if section else '', flags=re.M)[1:]
    said = {}
    for entry in entries:
        names, text = entry.split(':', 1)
        text = ROLE.sub(r'`\1`', ' '.join(text.split())).replace('``', '`')
        text = text.replace('|', r'\|').removesuffix('.')
        said |= dict.fromkeys(names.replace('*', '').split(', '), text)
    return said


if __name__ == '__main__':
    sys.path.insert(0, str(DOCS.parent))  # a checkout need not be installed
    main()
