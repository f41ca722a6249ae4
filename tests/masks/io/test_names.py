"""Names in annotation files are normalised, and cannot leave their folder."""

import os
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.io.names import image_name, join_inside
from cfcn_plugin.masks.io.stored_names import is_plain


@pytest.mark.parametrize(
    'name,key',
    [
        ('a.jpg', 'a.jpg'),
        ('b/a.jpg', 'b/a.jpg'),
        ('./a.jpg', 'a.jpg'),
        ('b//a.jpg', 'b/a.jpg'),
        ('b/./a.jpg', 'b/a.jpg'),
        ('..a.jpg', '..a.jpg'),
    ],
)
def test_name_becomes_the_key_its_path_gives(name, key):
    assert image_name(name) == key
    assert image_name(name, 'images') == f'images/{key}'
    assert is_plain(key) or key.startswith('.')
    assert not is_plain(name) or name == key


@pytest.mark.parametrize(
    'name', ['/etc/a.jpg', '../a.jpg', 'b/../../a.jpg', '..', 'b/../a.jpg', 'a\0.jpg']
)
@pytest.mark.parametrize('folder', ['', 'images'])
def test_name_that_leaves_the_data_root_is_refused(name, folder):
    assert not is_plain(name)
    with pytest.raises(MaskError, match='^path .* (is|has) .*below'):
        image_name(name, folder)


@pytest.mark.parametrize('name', ['', ' ', None, 7, ['a.jpg']])
def test_no_name_at_all_is_refused(name):
    assert not is_plain(name)
    with pytest.raises(MaskError, match='^expected the name of an image, got'):
        image_name(name)


# ---- files to be opened ------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'masks' / 'deep').mkdir(parents=True)
    (tmp_path / 'masks' / 'a.png').write_bytes(b'')
    (tmp_path / 'secret.png').write_bytes(b'')
    return tmp_path / 'masks'


@pytest.mark.parametrize(
    'name',
    [
        '\\a.png',
        'a:b.png',
        'b:.png',
        'deep\\a.png',
        'a.png',
        './a.png',
        'deep/b.png',
        'gone/c.png',
        '..a.png',
        'a..b.png',
        '~/a.png',
    ],
)
def test_names_below_the_folder_are_joined(folder, name):
    assert join_inside(folder, name) == folder / name
    assert join_inside(str(folder), name) == folder / name


@pytest.mark.parametrize(
    'name,reason',
    [
        ('../secret.png', r"has '\.\.'"),
        ('deep/../../secret.png', r"has '\.\.'"),
        ('deep/../a.png', r"has '\.\.'"),
        ('..\\secret.png', 'on Windows'),
        ('deep/b\\..\\..\\..\\secret.png', 'on Windows'),
        ('C:\\secret.png', 'on Windows'),
        ('C:../secret.png', 'on Windows'),
        ('\\\\host\\share\\secret.png', 'on Windows'),
        ('/etc/passwd', 'is absolute'),
        ('a\0.png', 'has a zero byte'),
    ],
)
def test_name_that_leaves_the_folder_says_what_and_remedy(folder, name, reason):
    with pytest.raises(MaskError, match=reason) as caught:
        join_inside(folder, name)
    for part in (f'path {name!r}', f"below '{folder}': correct"):
        assert part in str(caught.value)


@pytest.mark.parametrize('name', ['link.png', 'out/secret.png'])
def test_symlink_out_of_the_folder_says_where_it_leads(folder, name):
    (folder / 'link.png').symlink_to('../secret.png')
    (folder / 'out').symlink_to(folder.parent)
    with pytest.raises(MaskError, match='links to') as caught:
        join_inside(folder, name)
    assert f"'{folder.parent.resolve()}" in str(caught.value)


def test_folder_may_be_a_symlink_and_hold_some_to_itself(folder):
    (folder / 'b.png').symlink_to('a.png')
    (folder / 'deep' / 'c.png').symlink_to('../b.png')
    link = folder.parent / 'link'
    link.symlink_to(folder)
    for name in ('a.png', 'b.png', 'deep/c.png'):
        assert join_inside(link, name) == link / name


def test_relative_folder_follows_the_working_folder(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    (folder / 'b.png').symlink_to('a.png')
    assert join_inside('masks', 'b.png') == Path('masks/b.png')
    assert join_inside('', 'masks/b.png') == Path('masks/b.png')


PARTS = st.sampled_from(['..', '.', 'a', 'link', 'in', '/', '\\', 'C:', ' ', '\0', '~'])


@given(
    name=st.one_of(
        st.text(), st.lists(PARTS).map('/'.join), st.lists(PARTS).map(''.join)
    )
)
def test_joined_path_is_below_the_folder_or_refused(tmp_path_factory, name):
    root = tmp_path_factory.getbasetemp() / 'fuzzed'
    folder = root / 'masks'
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / 'link').symlink_to(root)
        (folder / 'a').mkdir()
        (folder / 'in').symlink_to(folder / 'a')
    try:
        path = join_inside(folder, name)
    except MaskError:
        return
    assert os.path.realpath(path).startswith(str(folder))
    assert '..' not in PureWindowsPath(name).parts
    assert not PureWindowsPath(name).is_absolute()
