"""Captions of a CSV file, by the paths of images."""

import pytest

from cfcn_plugin.annotation.drawing.captions import read_captions
from cfcn_plugin.masks import MaskError


def read(tmp_path, text, names=('a.jpg', 'b/c.jpg')):
    file = tmp_path / 'captions.csv'
    file.write_text(text)
    return read_captions(file, tmp_path / 'birds' / 'images', list(names))


def test_single_column_is_the_caption(tmp_path):
    assert read(tmp_path, 'image,kind\na.jpg,blue tit\nother.jpg,crow\n') == {
        'a.jpg': 'blue tit'
    }


def test_several_columns_are_named(tmp_path):
    assert read(tmp_path, 'image,kind,place\n\nb/c.jpg,crow,"sea, shore"\n') == {
        'b/c.jpg': 'kind: crow · place: sea, shore'
    }


@pytest.mark.parametrize('path', ['b/c.jpg', 'images/b/c.jpg', 'birds/images/b/c.jpg'])
def test_line_names_an_image_from_any_parent_of_the_folder(tmp_path, path):
    assert read(tmp_path, f'image,kind\n{path},crow\n') == {'b/c.jpg': 'crow'}


@pytest.mark.parametrize('path', ['c.jpg', 'x/a.jpg', 'a.png'])
def test_file_that_names_no_image_is_an_error(tmp_path, path):
    with pytest.raises(MaskError, match="captions.csv'.*such as 'a.jpg'"):
        read(tmp_path, f'image,kind\n{path},crow\n')


def test_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_captions(tmp_path / 'none.csv', tmp_path, ['a.jpg'])
