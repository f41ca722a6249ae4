"""A folder that is whole or not there, and tables that overwrite nothing."""
import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.data.public.new_folder import new_folder, save_image, write_table


def test_folder_has_its_name_when_all_went_well(tmp_path):
    with new_folder(tmp_path / 'a' / 'data') as folder:
        (folder / 'x.txt').write_text('x')
        assert not (tmp_path / 'a' / 'data').exists()
    assert (tmp_path / 'a' / 'data' / 'x.txt').read_text() == 'x'
    assert [f.name for f in (tmp_path / 'a').iterdir()] == ['data']


def test_folder_is_not_there_after_an_error_and_the_rest_does_no_harm(tmp_path):
    with pytest.raises(RuntimeError), new_folder(tmp_path / 'data') as folder:
        (folder / 'half.txt').write_text('h')
        raise RuntimeError
    assert not (tmp_path / 'data').exists()
    with new_folder(tmp_path / 'data'):
        pass
    assert list((tmp_path / 'data').iterdir()) == []


def test_nothing_is_overwritten(tmp_path):
    with pytest.raises(FileExistsError, match='is not overwritten'), \
            new_folder(tmp_path):
        pass
    (tmp_path / 'labels.csv').write_text('mine')
    with pytest.raises(FileExistsError, match='labels.csv. exists and is not'):
        write_table(tmp_path / 'labels.csv', ('a', ), [])
    assert (tmp_path / 'labels.csv').read_text() == 'mine'


def test_table_and_image_are_what_was_given(tmp_path):
    write_table(tmp_path / 't.csv', ('a', 'b'), [(1, 'x,y')])
    assert (tmp_path / 't.csv').read_text().split() == ['a,b', '1,"x,y"']
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    save_image(tmp_path / 'deep' / 'p.png', pixels)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / 'deep/p.png')),
                                  pixels)
