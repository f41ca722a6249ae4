"""A wheel in an environment of its own has the commands, the tools and the configs."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from cfcn_plugin import __version__

ROOT = Path(__file__).parents[1]
PARTS = (
    'cfcn_plugin',
    'configs',
    'tools',
    'pyproject.toml',
    'setup.py',
    'README.md',
    'LICENSE',
)


def output(*command, cwd: Path) -> str:
    environment = {
        key: value for key, value in os.environ.items() if key != 'PYTHONPATH'
    }
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, cwd=cwd, env=environment
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """Built from a copy, where no earlier build lies."""
    folder = tmp_path_factory.mktemp('wheel')
    source = folder / 'source'
    source.mkdir()
    for name in PARTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    output(
        sys.executable,
        '-m',
        'pip',
        'wheel',
        '.',
        '--no-deps',
        '--no-index',
        '--no-build-isolation',
        '-q',
        '-w',
        folder,
        cwd=source,
    )
    return next(folder.glob('*.whl'))


@pytest.fixture(scope='module')
def environment(wheel, tmp_path_factory):
    """The wheel installed; other packages are those of this process."""
    folder = tmp_path_factory.mktemp('environment')
    venv.create(folder, symlinks=True)
    output(
        sys.executable,
        '-m',
        'pip',
        '--python',
        folder / 'bin' / 'python',
        'install',
        '--no-deps',
        '--no-index',
        '-q',
        wheel,
        cwd=folder,
    )
    packages = sysconfig.get_path('purelib', vars=dict(base=str(folder)))
    Path(packages, 'others.pth').write_text(sysconfig.get_path('purelib'))
    return folder


def test_a_wheel_brings_configs_tools_types_and_templates(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ('configs', 'tools'):
        for file in (ROOT / folder).rglob('*.py'):
            assert f'cfcn_plugin/.mim/{file.relative_to(ROOT).as_posix()}' in names
    page = ROOT / 'cfcn_plugin' / 'annotation' / 'drawing' / 'page'
    assert {file.relative_to(ROOT).as_posix() for file in page.iterdir()} <= names
    assert {
        'cfcn_plugin/py.typed',
        'cfcn_plugin/experiments/templates/report.html',
    } <= names
    assert not any(name.startswith('tests') for name in names)


def test_an_installed_command_reads_an_installed_config(environment, tmp_path):
    cfcn = environment / 'bin' / 'cfcn'
    listed = output(cfcn, cwd=tmp_path)
    configs = Path(listed.split('Configs are in ')[1].strip())
    assert configs.is_relative_to(environment)
    printed = output(
        cfcn, 'print', configs / 'cfcn-c_cfcnnet_textured-digits.py', cwd=tmp_path
    )
    assert "type='CausalFocusLoss'" in printed


def test_version_and_types_are_declared(wheel):
    with zipfile.ZipFile(wheel) as content:
        (text,) = (
            content.read(name).decode()
            for name in content.namelist()
            if name.endswith('.dist-info/METADATA')
        )
    assert f'\nVersion: {__version__}\n' in text
    assert '\nLicense-Expression: Apache-2.0\n' in text
    assert '\nRequires-Dist: timm' in text
    assert '\nProvides-Extra: onedl\n' in text
