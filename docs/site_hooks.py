"""Hooks of MkDocs: pages of files outside of docs/, and links that lead there.

Pages in docs/ are written for a code host: their links are paths in the repository. On
the site a link to a page stays a page, and any other file of the repository that is
linked is copied into the site.
"""

import ast
import json
import os
import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = {
    'README.md': 'index.md',
    'CHANGELOG.md': 'changelog.md',
    'CONTRIBUTING.md': 'contributing.md',
    'CODE_OF_CONDUCT.md': 'code_of_conduct.md',
}
SOURCES = {page: file for file, page in PAGES.items()}
ROOMS = (
    'functional',
    'features',
    'guidance',
    'fine_tuning',
    'masks',
    'data',
    'repair',
    'mm.config',
    'mm.models',
    'mm.transforms',
    'mm.datasets',
    'mm.evaluation',
    'mm.engine',
)
LINK = re.compile(r'(\]\()([^)\s#:]+)(#[^)\s]*)?(?=[)\s])')
FENCE = re.compile(r'(^ *```.*?^ *```$)', re.S | re.M)


def on_config(config):
    """Put the made pages in the place of the stars of the navigation."""
    config.nav = _fill(
        config.nav,
        {
            'tutorials/*': sorted(tutorials()),
            'reference/*': [_page_of(room) for room in ROOMS],
        },
    )
    return config


def _fill(nav, found: dict[str, list[str]]):
    if isinstance(nav, dict):
        return {title: _fill(part, found) for title, part in nav.items()}
    if isinstance(nav, list):
        return [
            page
            for one in nav
            for page in (
                found[one]
                if isinstance(one, str) and one in found
                else [_fill(one, found)]
            )
        ]
    return nav


def on_files(files, config):
    """Add the pages and the linked files that lie outside of docs/."""
    from mkdocs.structure.files import File  # the tests of links need no MkDocs

    made = {
        page: (ROOT / file).read_text(encoding='utf-8') for file, page in PAGES.items()
    }
    made |= tutorials()
    made |= {_page_of(room): reference(room) for room in ROOMS}
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    written = {
        file.src_uri: file.content_string
        for file in files
        if file.src_uri.endswith('.md')
    }
    for page, text in written.items():
        for _, target, _ in LINK.findall(text):
            path = _in_repository(page, target)
            if _is_copied(path) and files.get_file_from_path(f'files/{path}') is None:
                files.append(
                    File.generated(
                        config, f'files/{path}', abs_src_path=str(ROOT / path)
                    )
                )
    return files


def on_page_markdown(markdown: str, page, config, files) -> str:
    """Turn paths in the repository into paths on the site, outside of code."""
    here = page.file.src_uri

    def turn(match: re.Match) -> str:
        start, target, anchor = match.groups()
        path = _in_repository(here, target)
        on_site = PAGES.get(path) or (
            path.removeprefix('docs/') if path.startswith('docs/') else f'files/{path}'
        )
        relative = posixpath.relpath(on_site, posixpath.dirname(here) or '.')
        return start + relative + (anchor or '')

    parts = FENCE.split(markdown)
    parts[::2] = [LINK.sub(turn, _with_empty_lines(part)) for part in parts[::2]]
    return ''.join(parts)


def _with_empty_lines(text: str) -> str:
    """As Python-Markdown wants them: at comments beside tables, and before lists."""
    text = re.sub(r'(?<=-->)\n(?=\S)|\n(?=<!--)', '\n\n', text)
    return re.sub(r'^([^\s|>#*-].*)\n(?=- )', r'\1\n\n', text, flags=re.M)


def _in_repository(page: str, target: str) -> str:
    """The path in the repository that a page's link means."""
    if page in SOURCES:
        folder = ''
    else:
        folder = posixpath.dirname(f'docs/{page}')
    return posixpath.normpath(posixpath.join(folder, target))


def _is_copied(path: str) -> bool:
    return (
        path not in PAGES
        and not path.startswith(('docs/', '..', '/'))
        and (ROOT / path).is_file()
    )


# ---- pages that are made ---------------------------------------------------------


def _page_of(room: str) -> str:
    return f'reference/{room.replace(".", "-")}.md'


def reference(room: str) -> str:
    """The public names of a room; mkdocstrings has their docstrings and signatures."""
    tree = ast.parse(
        ROOT.joinpath('cfcn_plugin', *room.split('.'), '__init__.py').read_text(
            encoding='utf-8'
        )
    )
    names = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == '__all__'
    )
    about = (ast.get_docstring(tree) or '').replace('``', '`')
    own = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if node.level
    }
    names = [
        name
        for name in names
        if name in own and (not name.isupper() or name == 'AUROC')
    ]
    return '\n\n'.join(
        [
            f'# cfcn_plugin.{room}',
            about,
            *(f'::: cfcn_plugin.{room}.{name}' for name in names),
        ]
    )


def tutorials() -> dict[str, str]:
    """The examples as pages: programs and notebooks."""
    files = sorted((ROOT / 'examples').glob('*.py')) + sorted(
        (ROOT / 'examples').glob('*.ipynb')
    )
    return {
        f'tutorials/{file.stem}.md': (
            _notebook(file) if file.suffix == '.ipynb' else _program(file)
        )
        for file in files
    }


def _program(file: Path) -> str:
    code = file.read_text(encoding='utf-8')
    about = (ast.get_docstring(ast.parse(code)) or '').replace('``', '`')
    title = file.stem.replace('_', ' ').capitalize()
    return (
        f'# {title}\n\n{about}\n\nThis is [examples/{file.name}]'
        f'(../../examples/{file.name}).\n\n```python\n{code}```\n'
    )


def _notebook(file: Path) -> str:
    cells = json.loads(file.read_text(encoding='utf-8'))['cells']
    parts = [f'The notebook is [examples/{file.name}](../../examples/{file.name}).']
    for cell in cells:
        text = ''.join(cell['source'])
        if cell['cell_type'] == 'markdown':
            parts.append(text)
        elif cell['cell_type'] == 'code':
            parts.append(f'```python\n{text}\n```')
            parts += map(_output, cell.get('outputs', []))
    first = (
        parts.pop(1)
        if len(parts) > 1 and parts[1].startswith('# ')
        else f'# {file.stem.capitalize()}'
    )
    return '\n\n'.join([first, *parts])


def _output(output: dict) -> str:
    data = output.get('data', {})
    if 'image/png' in data:
        image = ''.join(data['image/png']).replace('\n', '')
        return f'![](data:image/png;base64,{image})'
    text = ''.join(output.get('text', data.get('text/plain', [])))
    return f'```text\n{text.rstrip()}{os.linesep}```' if text.strip() else ''
