"""The house: which room imports which, and that an import changes nothing."""

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'cfcn_plugin'
MM = {'mmengine', 'mmcv', 'mmpretrain'}
# a room imports from the lines above and from its own, from none below
FLOORS = [
    {'functional'},
    {'features', 'fine_tuning', 'masks'},
    {'guidance'},
    {'data', 'repair', 'annotation', 'metrics', 'visualization'},
    {'mm'},
    {'experiments'},
]
HEIGHT = {room: height for height, rooms in enumerate(FLOORS, 1) for room in rooms}
# rooms that are named when they are asked for
LAZY = {PACKAGE / '__init__.py', PACKAGE / '__main__.py'}
FILES = sorted(set(PACKAGE.rglob('*.py')) - LAZY)


def room_of(file: Path) -> str:
    """The folder below the package, or '' for a module at the top."""
    return file.relative_to(PACKAGE).parts[0] if file.parent != PACKAGE else ''


@cache
def imports(file: Path) -> tuple[str, ...]:
    """The full names of all modules and names that a file imports, anywhere in it."""
    package = file.relative_to(ROOT).parent.parts
    names = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names += [f'{alias.name}.' for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = '.'.join([*base, *filter(None, [node.module])])
            names += [f'{module}.{alias.name}' for alias in node.names]
    return tuple(names)


def offences(is_wrong) -> str:
    """One a line."""
    return '\n'.join(
        f'{file.relative_to(ROOT)} imports {name}'
        for file in FILES
        for name in imports(file)
        if is_wrong(file, name.split('.'))
    )


def imported_room(name: list[str]) -> str:
    """'' for a module at the top of the package, and for other packages."""
    return name[1] if name[0] == 'cfcn_plugin' and name[1] in HEIGHT else ''


def test_every_folder_of_the_package_is_a_known_room():
    assert {room_of(file) for file in FILES} - {''} <= set(HEIGHT)


def test_imports_are_read_in_all_their_forms():
    file = PACKAGE / 'mm' / 'models' / 'guided_mixin.py'
    found = set(imports(file))
    assert any(name.startswith('mmpretrain.') for name in found)
    assert any(name.startswith('cfcn_plugin.features.') for name in found)


def test_only_the_mm_room_imports_an_mm_package():
    assert offences(lambda file, name: room_of(file) != 'mm' and name[0] in MM) == ''


def test_equations_import_torch_alone():
    allowed = {'torch', 'cfcn_plugin', *sys.stdlib_module_names}
    assert (
        offences(
            lambda file, name: room_of(file) == 'functional' and name[0] not in allowed
        )
        == ''
    )


def test_no_room_imports_from_a_higher_one():
    assert (
        offences(
            lambda file, name: (
                HEIGHT.get(imported_room(name), 0) > HEIGHT.get(room_of(file), 0)
            )
        )
        == ''
    )


def test_package_does_not_import_tools():
    tools = {file.stem for file in (ROOT / 'tools').glob('*.py')}
    tools -= set(sys.stdlib_module_names) | {'test'}
    assert offences(lambda file, name: name[0] in {*tools, 'tools'}) == ''


# ---- in another process ------------------------------------------------------


def run(code: str) -> dict:
    """What a script prints last, as JSON."""
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


STATE = """
import json, os, sys, time, warnings
import timm, torch

def state():
    return dict(
        environment=dict(os.environ),
        filters=[str(one) for one in warnings.filters],
        globals=sorted(map(str, torch.serialization.get_safe_globals())),
        load=str(torch.load), threads=torch.get_num_threads(),
        path=sys.path, hooks=[str(one) for one in (sys.excepthook, sys.meta_path)])

before, modules, start = state(), set(sys.modules), time.process_time()
import cfcn_plugin
cost = time.process_time() - start
mm = [name for name in set(sys.modules) - modules
      if name.split('.')[0] in ('mmengine', 'mmcv', 'mmpretrain')]
print(json.dumps(dict(before=before, after=state(), mm=mm, cost=cost)))
"""


@pytest.fixture(scope='module')
def imported():
    return run(STATE)


def test_import_changes_nothing_in_the_process(imported):
    assert imported['after'] == imported['before']


def test_import_brings_no_mm_package(imported):
    assert imported['mm'] == []


def test_import_costs_next_to_nothing_beside_torch_and_timm(imported):
    assert imported['cost'] < 0.3  # seconds of this process on a CPU


WITHOUT_MM = """
import importlib, json, pkgutil, sys, tempfile
from pathlib import Path
for name in ('mmengine', 'mmcv', 'mmpretrain'):
    sys.modules[name] = None  # importing it is an error
import timm, torch
import cfcn_plugin
sys.path.insert(0, 'tests/helpers')
import mask_formats

rooms = ('mm', 'experiments', '__main__')
names = [info.name for info in pkgutil.walk_packages(
    cfcn_plugin.__path__, 'cfcn_plugin.', onerror=lambda name: None)
    if info.name.split('.')[1] not in rooms]
failed = {}
for name in names:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = f'{type(error).__name__}: {error}'
model = timm.create_model('test_resnet', num_classes=3).eval()
shape = list(cfcn_plugin.last_stage_activation(model, torch.rand(2, 3, 64, 96)).shape)
net, labels = timm.create_model('test_resnet', num_classes=3), torch.arange(3)
given = cfcn_plugin.guidance.MaskBatch(
    torch.ones(3, 1, 64, 64, dtype=torch.uint8).tril(), None,
    torch.tensor([True, False, True]))
terms = {}  # of each guidance method, in a plain loop
for name in cfcn_plugin.guidance.__all__:
    method = getattr(cfcn_plugin.guidance, name)
    if name.endswith('Loss'):
        guide = cfcn_plugin.Guide(net, method())
        images = guide.prepare(torch.rand(3, 3, 64, 64))
        with guide:
            logits = net(images)
        loss = guide.loss(images, logits, labels, given)
        loss.backward()
        terms[name] = loss.item()
        guide.feature_hook.detach()
masks = {}  # of a small file of each format
for name, one in mask_formats.FORMATS.items():
    with tempfile.TemporaryDirectory() as root:
        record = one.read(Path(root), one.encoded())
        masks[name] = type(one.make(root)).__name__, bool(record.mask.any())
sources = [name for name, one in vars(cfcn_plugin.masks).items()
           if isinstance(one, type) and issubclass(one, cfcn_plugin.masks.MaskSource)]
def missing(name):
    raise cfcn_plugin.stack.PackageNotFoundError(name)
cfcn_plugin.stack.version = missing
try:
    cfcn_plugin.guide_config
except ImportError as error:
    told = str(error)
print(json.dumps(dict(
    names=names, failed=failed, shape=shape, terms=terms, masks=masks,
    sources=sources, told=told)))
"""


@pytest.fixture(scope='module')
def without_mm():
    return run(WITHOUT_MM)


def test_every_core_module_imports_without_mm(without_mm):
    assert without_mm['failed'] == {}
    assert {'guidance.gain', 'masks.io.rle', 'data.batch_augments.background_swap'} <= {
        name.removeprefix('cfcn_plugin.') for name in without_mm['names']
    }


def test_a_map_is_taken_without_mm(without_mm):
    batch, _, *cells = without_mm['shape']
    assert batch == 2 and cells[0] < cells[1]


def test_every_guidance_method_trains_in_a_plain_loop_without_mm(without_mm):
    terms = without_mm['terms']
    assert {
        'ActDiffLoss',
        'CausalFocusLoss',
        'ExplanationLoss',
        'GAINLoss',
        'LiteralFocusLoss',
        'RightReasonsLoss',
    } <= set(terms)
    assert all(0 < value < 1e6 for value in terms.values())


def test_every_mask_source_reads_its_format_without_mm(without_mm):
    assert {kind for kind, _ in without_mm['masks'].values()} == (
        set(without_mm['sources']) - {'MaskSource'}
    )
    assert all(has_mask for _, has_mask in without_mm['masks'].values())


def test_what_needs_an_mm_stack_says_how_to_install_one(without_mm):
    assert 'cfcn_plugin.mm needs mmengine and mmpretrain' in without_mm['told']
    assert "pip install 'cfcn_plugin[onedl]'" in without_mm['told']
