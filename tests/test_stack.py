"""Which mm stack is found, and what is said when none or two are."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from cfcn_plugin import stack as _stack

pytestmark = pytest.mark.stacks
ONEDL = ['onedl-mmengine', 'onedl-mmpretrain']
OPENMMLAB = ['mmengine', 'mmpretrain']


@pytest.fixture
def install(monkeypatch):
    """Makes the metadata of these packages, and of no other, be found."""

    def install(*packages):

        def version(name):
            if name not in packages:
                raise PackageNotFoundError(name)
            return '1.0'

        monkeypatch.setattr(_stack, 'version', version)

    return install


@pytest.mark.parametrize(
    'packages,name',
    [([], None), (['timm', 'torch'], None), (ONEDL, 'onedl'), (OPENMMLAB, 'openmmlab')],
)
def test_stack_is_named(install, packages, name):
    install(*packages)
    assert _stack.find_stack() == name


@pytest.mark.parametrize(
    'packages',
    [ONEDL + OPENMMLAB, [*ONEDL, 'mmengine'], ['onedl-mmpretrain', 'mmengine']],
)
def test_two_stacks_are_an_error_that_uninstalls_both(install, packages):
    install(*packages)
    with pytest.raises(ImportError, match='two mm stacks are in') as caught:
        _stack.find_stack()
    command = str(caught.value).split('pip uninstall -y ')[1].split('`')[0].split()
    assert set(packages) <= set(command)
    assert {'onedl-mmcv', 'mmcv', 'mmcv-lite'} <= set(command)
    assert _stack.INSTALL in str(caught.value)


@pytest.mark.parametrize(
    'package,stack,missing',
    [
        ('onedl-mmengine', 'onedl', 'mmpretrain'),
        ('onedl-mmpretrain', 'onedl', 'mmengine'),
        ('mmengine', 'openmmlab', 'mmpretrain'),
        ('mmpretrain', 'openmmlab', 'mmengine'),
    ],
)
def test_incomplete_stack_names_found_missing_and_remedy(
    install, package, stack, missing
):
    install(package)
    with pytest.raises(ImportError) as caught:
        _stack.find_stack()
    message = str(caught.value)
    assert f'the {stack} stack is incomplete' in message
    assert f'{package} found, {missing} missing' in message
    assert _stack.INSTALL in message


def test_an_installed_stack_is_found_in_this_environment():
    assert _stack.find_stack() in ('onedl', 'openmmlab')


def test_pins_of_both_stacks_differ_by_the_stack_alone():
    root = Path(__file__).parents[1]
    ours, theirs = (
        set((root / name).read_text().splitlines()[1:])
        for name in ('constraints.txt', 'constraints-openmmlab.txt')
    )
    assert {line.split('==')[0] for line in ours - theirs} == {
        'onedl-mmcv',
        'onedl-mmengine',
        'onedl-mmpretrain',
        'setuptools',
    }
    assert {line.split('==')[0] for line in theirs - ours} == {
        'mmcv-lite',
        'mmengine',
        'mmpretrain',
        'setuptools',
    }
