"""The key of an image's mask, the path below the data root, and the record."""

import numpy as np
import pytest

from cfcn_plugin.masks import MaskError, MaskRecord, MaskSource, image_key
from cfcn_plugin.masks.base import class_record
from cfcn_plugin.masks.io.stored_names import is_plain


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


def test_record_cannot_be_changed():
    record = MaskRecord(np.ones((2, 2), np.uint8), 'a.png')
    assert record.classes is None and record.ignore is None
    with pytest.raises(AttributeError):
        record.mask = None


def test_source_without_its_methods_cannot_be_made():
    with pytest.raises(TypeError, match='abstract'):
        MaskSource('/data')


@pytest.mark.parametrize(
    'name',
    [
        'a',
        'a/b.jpg',
        'a b',
        'a..b',
        '',
        ' ',
        '.',
        './a',
        'a/./b',
        'a//b',
        'a/../b',
        '..a',
        '/a',
        'a/',
        'a\0',
    ],
)
def test_plain_names_are_their_own_keys(name):
    own = image_key(dict(img_path=f'/data/{name}'), '/data') == name
    assert own or not is_plain(name)
    assert is_plain(name) == (name in ('a', 'a/b.jpg', 'a b', 'a..b'))


@pytest.mark.parametrize('name', ['../a', 'b/../../a', '../data2/a'])
def test_key_of_an_image_that_leaves_the_data_root_is_refused(name):
    with pytest.raises(MaskError, match='is not below data_root'):
        image_key(dict(img_path=f'/data/{name}'), '/data')
    assert image_key(dict(img_path='/data/b/../a'), '/data') == 'a'


class Known(MaskSource):
    __call__ = check = None

    def keys(self):
        return ['a/b', 'c.jpg', 'd.e']


def test_images_without_an_entry_are_told_by_their_keys():
    images = ['a/b.jpg', 'a/b', 'c.jpg', 'c.png', 'd.e.png', 'd.png']
    assert Known('').missing(images) == ['a/b.jpg', 'c.png', 'd.e.png', 'd.png']
    beside = Known('')
    beside.endings = False  # masks whose files do not say the ending of the image
    assert beside.missing(images) == ['c.jpg', 'c.png', 'd.png']


def test_class_record_holds_the_classes_that_have_a_mask():
    one, none = np.ones((2, 3), np.uint8), np.zeros((2, 3), np.uint8)
    record = class_record({7: one, 2: one, 5: none}, (2, 3), 'a.png')
    assert record.mask.shape == (2, 2, 3) and record.classes.tolist() == [2, 7]
    assert record.classes.dtype == np.int64
    empty = class_record({5: none}, (2, 3), 'a.png')
    assert empty.mask.shape == (0, 2, 3) and not empty.mask.any()
