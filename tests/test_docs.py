"""What docs/masks.md shows works as it stands there, and it leaves no option out."""

import inspect
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope
from mmpretrain.registry import TASK_UTILS, TRANSFORMS

import cfcn_plugin.mm  # noqa: F401  (registers the sources)
from cfcn_plugin import masks

sys.path.insert(0, str(Path(__file__).parents[1] / 'docs'))
import option_tables

DOCS = Path(__file__).parents[1] / 'docs'
TEXT = (DOCS / 'masks.md').read_text(encoding='utf-8')
CODE = re.findall(r'```python\n(.*?)```', TEXT, re.S)
SECTIONS = dict(re.findall(r'^## (\w+Masks)\n(.*?)(?=^## |\Z)', TEXT, re.S | re.M))
SOURCES = [
    name for name in masks.__all__ if name.endswith('Masks') and name in TASK_UTILS
]
COCO = dict(
    images=[dict(id=1, file_name='a.jpg', height=4, width=4)],
    annotations=[
        dict(
            id=1,
            image_id=1,
            category_id=1,
            bbox=[0, 0, 2, 2],
            segmentation=[[0, 0, 2, 0, 2, 2]],
        )
    ],
    categories=[
        dict(id=1, name='cat'),
        dict(id=2, name='dog'),
        dict(id=3, name='teddy bear'),
    ],
)
STUDIO = [
    dict(
        data=dict(image='a.jpg'),
        annotations=[
            dict(
                result=[
                    dict(
                        type='rectanglelabels',
                        original_height=4,
                        original_width=4,
                        value=dict(
                            x=0, y=0, width=50, height=50, rectanglelabels=['cow']
                        ),
                    )
                ]
            )
        ],
    )
]
FILES = {
    'birds/points.csv': 'image,x,y\na.jpg,1,1\n',
    'birds/boxes.csv': 'filename,kind,x0,y0,x1,y1\na.jpg,bird,0,0,2,2\n',
    'coco/annotations/instances_val2017.json': json.dumps(COCO),
    'CUB_200_2011/images.txt': '1 a.jpg\n',
    'CUB_200_2011/bounding_boxes.txt': '1 0 0 2 2\n',
    'farm/project-1.json': json.dumps(STUDIO),
}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The annotation files that sources open when they are built."""
    for name, text in FILES.items():
        file = tmp_path / 'data' / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with zipfile.ZipFile(tmp_path / 'data' / 'farm' / 'cvat.zip', 'w') as archive:
        archive.writestr('labelmap.txt', 'background:0,0,0::\ncow:1,2,3::\n')
    monkeypatch.chdir(tmp_path)
    init_default_scope('mmpretrain')


@pytest.mark.parametrize('code', CODE, ids=range(len(CODE)))
def test_every_config_line_builds(data, code):
    config = eval(code)
    if 'source' in config:
        assert TRANSFORMS.build(config).source is not None
    else:
        if config['type'] == 'MatMasks':
            pytest.importorskip('h5py')
        assert type(TASK_UTILS.build(config)).__name__ == config['type']


def test_every_source_has_a_section_with_a_config_line_and_is_in_the_table():
    assert sorted(SECTIONS) == sorted(SOURCES) and len(SOURCES) > 10
    for name, section in SECTIONS.items():
        assert f"dict(type='{name}'" in section
        assert f'[`{name}`](#{name.lower()})' in TEXT


PLACE = re.compile(r'<!-- options of cfcn_plugin\.masks\.(\w+)')


@pytest.mark.parametrize('name', SOURCES)
def test_every_source_s_section_has_its_table(name):
    assert PLACE.findall(SECTIONS[name]) == [name]


def test_tables_of_options_are_those_of_the_code():
    """As `make docs` writes them."""
    for page in sorted(DOCS.rglob('*.md')):
        text = page.read_text(encoding='utf-8')
        assert option_tables.with_tables(text) == text, page


def test_a_table_has_every_option_of_the_signature_and_what_the_docstring_says():
    text = option_tables.table('cfcn_plugin.masks.BoxMasks', ['data_root'])
    known = inspect.signature(masks.BoxMasks).parameters
    assert re.findall(r'^\| `(\w+)`', text, re.M) == [
        name for name in known if name != 'data_root'
    ]
    assert '| `ann_file` | required | The file, below `data_root` |' in text
    assert "| `format` | `'xyxy'` | `'xyxy'` (corners) or" in text
    assert text.endswith('| `choice` |  | Options of `ObjectChoice` |')
