"""What an image's mask goes by: the path below the data root."""
import pickle
from pathlib import Path

import numpy as np
import pytest

from cfcn_plugin.masks import MaskError, MaskRecord, MaskSource, image_key
from cfcn_plugin.masks.base import (
    MaskSizeError,
    below,
    class_record,
    unknown,
    wrong_size,
)


def test_key_is_the_path_below_the_data_root():
    results = dict(img_path='/data/pets/images/a/b.jpg', sample_idx=3)
    assert image_key(results, '/data/pets') == 'images/a/b.jpg'


def test_relative_and_absolute_paths_give_one_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keys = {
        image_key(dict(img_path=str(path)), str(root))
        for path in ('data/a.jpg', './data/a.jpg', tmp_path / 'data' / 'a.jpg')
        for root in ('data', './data', 'data/', tmp_path / 'data')
    }
    assert keys == {'a.jpg'}


def test_no_data_root_means_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert image_key(dict(img_path='images/a.jpg')) == 'images/a.jpg'


@pytest.mark.parametrize('path', [dict(), dict(img_path=None)])
def test_key_of_an_image_without_a_path_is_its_index(path):
    assert image_key(dict(sample_idx=7, **path), '/data') == '7'


@pytest.mark.parametrize('path', ['/other/a.jpg', '/data/pets-2/a.jpg'])
def test_image_outside_data_root_names_image_root_and_remedy(path):
    with pytest.raises(MaskError, match='is not below') as caught:
        image_key(dict(img_path=path), '/data/pets')
    message = str(caught.value)
    assert f"image '{path}'" in message
    assert "data_root='/data/pets'" in message
    assert 'the same `data_root`' in message


def test_mask_error_is_a_value_error():
    assert issubclass(MaskError, ValueError)


def test_record_can_not_be_changed():
    record = MaskRecord(np.ones((2, 2), np.uint8), 'a.png')
    assert record.classes is None and record.ignore is None
    with pytest.raises(AttributeError):
        record.mask = None


def test_source_without_its_methods_can_not_be_made():
    with pytest.raises(TypeError, match='abstract'):
        MaskSource('/data')


# ---- paths -----------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'masks' / 'deep').mkdir(parents=True)
    (tmp_path / 'masks' / 'a.png').write_bytes(b'')
    (tmp_path / 'secret.png').write_bytes(b'')
    return tmp_path / 'masks'


@pytest.mark.parametrize('name', [
    'a.png', './a.png', 'deep/b.png', 'gone/c.png', '..a.png', 'a..b.png', '~/a.png'
])
def test_names_below_the_folder_are_joined(folder, name):
    assert below(folder, name) == folder / name
    assert below(str(folder), name) == folder / name


@pytest.mark.parametrize('name,reason', [
    ('../secret.png', r"has '\.\.'"),
    ('deep/../../secret.png', r"has '\.\.'"),
    ('deep/../a.png', r"has '\.\.'"),
    ('/etc/passwd', 'is absolute'),
    ('a\0.png', 'has a zero byte'),
])
def test_name_that_leaves_the_folder_says_where_what_and_remedy(folder, name, reason):
    with pytest.raises(MaskError, match=reason) as caught:
        below(folder, name, "'list.csv', line 3")
    for part in ("'list.csv', line 3: path", repr(name), f"below '{folder}': correct"):
        assert part in str(caught.value)


@pytest.mark.parametrize('name', ['link.png', 'out/secret.png'])
def test_symlink_out_of_the_folder_says_where_it_leads(folder, name):
    (folder / 'link.png').symlink_to('../secret.png')
    (folder / 'out').symlink_to(folder.parent)
    with pytest.raises(MaskError, match='links to') as caught:
        below(folder, name)
    assert f"'{folder.parent.resolve()}" in str(caught.value)


def test_folder_may_be_a_symlink_and_hold_some_to_itself(folder):
    (folder / 'b.png').symlink_to('a.png')
    (folder / 'deep' / 'c.png').symlink_to('../b.png')
    link = folder.parent / 'link'
    link.symlink_to(folder)
    for name in ('a.png', 'b.png', 'deep/c.png'):
        assert below(link, name) == link / name


def test_relative_folder_follows_the_working_folder(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    (folder / 'b.png').symlink_to('a.png')
    assert below('masks', 'b.png') == Path('masks/b.png')
    assert below('', 'masks/b.png') == Path('masks/b.png')


# ---- records and errors ----------------------------------------------------


def test_size_error_survives_the_way_out_of_a_worker():
    error = wrong_size('a.png', (2, 3), (4, 5))
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.file, copy.size, str(copy)) == ('a.png', (2, 3), str(error))
    assert isinstance(MaskSizeError('text alone'), MaskError)  # what torch does


def test_class_record_holds_the_classes_that_have_a_mask():
    one, none = np.ones((2, 3), np.uint8), np.zeros((2, 3), np.uint8)
    record = class_record({7: one, 2: one, 5: none}, (2, 3), 'a.png')
    assert record.mask.shape == (2, 2, 3) and record.classes.tolist() == [2, 7]
    assert record.classes.dtype == np.int64
    empty = class_record({5: none}, (2, 3), 'a.png')
    assert empty.mask.shape == (0, 2, 3) and not empty.mask.any()


def test_unknown_names_tell_those_that_differ_in_case():
    text = str(unknown({'a/B', 'c'}, 'masks', "folder 'm'", {'A/b', 'd'}))
    assert "'a/B' (did you mean 'A/b'?), 'c':" in text
