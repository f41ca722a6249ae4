"""A data set that is whole or not there, and tables that overwrite nothing."""

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.data.public.new_dataset import write_dataset, write_table
from cfcn_plugin.masks import MaskError

PIXELS = np.arange(6, dtype=np.uint8).reshape(2, 3)


def test_folder_has_its_name_when_all_went_well(tmp_path):
    root = tmp_path / 'a' / 'data'

    def entries():
        assert not root.exists()
        yield 'x.png', PIXELS, {}

    assert write_dataset(root, (), entries()) == root
    assert sorted(f.name for f in root.iterdir()) == ['labels.csv', 'x.png']
    assert [f.name for f in (tmp_path / 'a').iterdir()] == ['data']


def test_folder_is_not_there_after_an_error_and_the_rest_does_no_harm(tmp_path):
    def half():
        yield 'half.png', PIXELS, {}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_dataset(tmp_path / 'data', (), half())
    assert not (tmp_path / 'data').exists()
    write_dataset(tmp_path / 'data', (), [])
    assert [f.name for f in (tmp_path / 'data').iterdir()] == ['labels.csv']


def test_nothing_is_overwritten(tmp_path):
    with pytest.raises(FileExistsError, match='is not overwritten'):
        write_dataset(tmp_path, (), [])
    (tmp_path / 'labels.csv').write_text('mine')
    with pytest.raises(FileExistsError, match='labels.csv. exists and is not'):
        write_table(tmp_path / 'labels.csv', ('a',), [])
    assert (tmp_path / 'labels.csv').read_text() == 'mine'


def test_table_and_images_are_what_was_given(tmp_path):
    folder = write_dataset(
        tmp_path / 'data',
        ['label'],
        [('deep/p.png', PIXELS, {'masks/p.png': PIXELS}, 'x,y')],
    )
    assert (folder / 'labels.csv').read_text().split() == [
        'filename,label',
        'deep/p.png,"x,y"',
    ]
    np.testing.assert_array_equal(np.asarray(Image.open(folder / 'deep/p.png')), PIXELS)
    np.testing.assert_array_equal(
        np.asarray(Image.open(folder / 'masks/p.png')), (PIXELS > 0) * 255
    )


def test_table_is_written_whole_or_not_at_all(tmp_path):
    def rows():
        yield ('a',)
        raise RuntimeError

    for given, error in ((rows(), RuntimeError), ([('\udce9',)], UnicodeEncodeError)):
        with pytest.raises(error):
            write_table(tmp_path / 'labels.csv', ('a',), given)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    'entry',
    [
        ('../x.png', PIXELS, {}),
        ('x.png', PIXELS, {'../../m.png': PIXELS}),
        ('/x.png', PIXELS, {}),
    ],
)
def test_nothing_is_written_outside_the_folder(tmp_path, entry):
    root = tmp_path / 'a' / 'data'
    with pytest.raises(MaskError, match='expected a path below'):
        write_dataset(root, (), [entry])
    assert not root.exists()
    assert not [f for f in tmp_path.rglob('*.png') if 'data.partial' not in f.parts]


def test_two_images_of_one_name_are_told(tmp_path):
    with pytest.raises(FileExistsError, match="a.png' would be written twice"):
        write_dataset(tmp_path / 'data', (), [('a.png', PIXELS, {})] * 2)
