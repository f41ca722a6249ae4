"""Image names in annotation files: tidied, and never above the data root."""
import pytest

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.names import image_name, is_plain


@pytest.mark.parametrize('name,key', [
    ('a.jpg', 'a.jpg'), ('b/a.jpg', 'b/a.jpg'), ('./a.jpg', 'a.jpg'),
    ('b//a.jpg', 'b/a.jpg'), ('b/./a.jpg', 'b/a.jpg'), ('b/../a.jpg', 'a.jpg'),
    ('..a.jpg', '..a.jpg')])
def test_name_becomes_the_key_its_path_gives(name, key):
    assert image_name(name, 'x') == key
    assert image_name(name, 'x', 'images') == f'images/{key}'
    assert is_plain(key) or key.startswith('.')
    assert not is_plain(name) or name == key


@pytest.mark.parametrize('name', ['/etc/a.jpg', '../a.jpg', 'b/../../a.jpg', '..'])
@pytest.mark.parametrize('folder', ['', 'images'])
def test_name_that_leaves_the_data_root_is_refused(name, folder):
    assert not is_plain(name)
    with pytest.raises(MaskError, match=r"x\.csv', line 3: image name '.*' leaves"):
        image_name(name, "'x.csv', line 3", folder)


@pytest.mark.parametrize('name', ['', ' ', None, 7, ['a.jpg']])
def test_no_name_at_all_is_refused(name):
    assert name == ' ' or not is_plain(name)
    with pytest.raises(MaskError, match='x: expected the name of an image, got'):
        image_name(name, 'x')
