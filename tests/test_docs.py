"""What docs/masks.md shows works as it stands there, and it leaves no option out."""
import inspect
import json
import re
import zipfile
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope
from mmpretrain.registry import TASK_UTILS, TRANSFORMS

from cfcn_plugin import masks
from cfcn_plugin.masks import MaskLoader
from cfcn_plugin.masks.objects import ObjectChoice
from cfcn_plugin.mm.transforms import LoadActivationMask

TEXT = Path(__file__).parents[1].joinpath('docs', 'masks.md').read_text(
    encoding='utf-8')
CODE = re.findall(r'```python\n(.*?)```', TEXT, re.S)
SECTIONS = dict(re.findall(r'^## (\w+Masks)\n(.*?)(?=^## |\Z)', TEXT, re.S | re.M))
SOURCES = [name for name in masks.__all__
           if name.endswith('Masks') and name in TASK_UTILS]
COMMON = {'data_root', 'images', 'masks', 'ann_file'}  # "File locations"
COCO = dict(
    images=[dict(id=1, file_name='a.jpg', height=4, width=4)],
    annotations=[dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 2, 2],
                      segmentation=[[0, 0, 2, 0, 2, 2]])],
    categories=[dict(id=1, name='cat'), dict(id=2, name='dog'),
                dict(id=3, name='teddy bear')])
STUDIO = [dict(data=dict(image='a.jpg'), annotations=[dict(result=[dict(
    type='rectanglelabels', original_height=4, original_width=4,
    value=dict(x=0, y=0, width=50, height=50, rectanglelabels=['cow']))])])]
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


def options_of(section: str) -> dict[str, str]:
    """Option -> default, of a section's table."""
    rows = re.findall(r'^\| (`[^|]*`) \| ([^|]*?) ?\| ', section, re.M)
    return {
        option: default
        for names, defaults in rows for option, default in zip(
            re.findall(r'`(\w+)`', names), defaults.split(', ')
            if names.count('`') > 2 else [defaults])
    }


@pytest.mark.parametrize('name', SOURCES)
def test_every_option_is_there_with_its_default(name):
    known = inspect.signature(getattr(masks, name)).parameters
    section, shown = SECTIONS[name], options_of(SECTIONS[name])
    assert set(shown) <= set(known)
    unsaid = [option for option in set(known) - COMMON if f'`{option}`' not in section]
    assert not unsaid
    for option, default in shown.items():
        if default.startswith('`'):
            assert eval(default.strip('`')) == known[option].default, option


@pytest.mark.parametrize('heading,owners', [
    ('Which images are guided', (MaskLoader, LoadActivationMask)),
    ('Categories, classes, ignored regions', (ObjectChoice, ))])
def test_shared_options_are_all_there_with_their_defaults(heading, owners):
    section = TEXT.split(f'## {heading}\n')[1].split('\n## ')[0]
    shown = options_of(section)
    known = {name: parameter for owner in owners
             for name, parameter in inspect.signature(owner).parameters.items()}
    assert set(shown) == set(known) - {'source', 'warn', 'options'}
    for option, default in shown.items():
        assert eval(default.strip('`')) == known[option].default, option
