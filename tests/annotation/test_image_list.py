"""Keys of a list are names below the folder of images, or an error names one."""

import pytest
from PIL import Image

from cfcn_plugin.annotation.image_list import names_below
from cfcn_plugin.masks import MaskError


def test_keys_of_a_list_begin_at_a_folder_around_the_images(images):
    root, names = names_below(images, ['images/a.jpg', 'images/sub/c.jpg'])
    assert root == images.parent and names == ['a.jpg', 'sub/c.jpg']
    assert names_below(images, ['b.png']) == (images, ['b.png'])
    assert names_below(images / 'sub', ['data/images/sub/c.jpg'], images.parents[1])[
        1
    ] == ['c.jpg']


def test_keys_that_exist_nowhere_name_one_and_the_remedy(images):
    with pytest.raises(FileNotFoundError, match="'photos/a.jpg'.*--data-root"):
        names_below(images, ['photos/a.jpg'])
    with pytest.raises(FileNotFoundError, match='images/sub'):
        names_below(images, ['a.jpg'], images / 'sub')


def test_key_outside_the_folder_is_an_error(images):
    with pytest.raises(MaskError, match="'images/a.jpg'.*is not below"):
        names_below(images / 'sub', ['images/a.jpg'])


def test_key_is_resolved_before_it_is_compared_with_the_folder(images):
    Image.new('L', (6, 4)).save(images.parent / 'secret.png')
    for key in ('../secret.png', 'sub/../../secret.png'):
        with pytest.raises(MaskError, match="secret.png' of the list is not below"):
            names_below(images, [key])
    assert names_below(images, ['sub/../a.jpg', '../images/b.png']) == (
        images,
        ['a.jpg', 'b.png'],
    )


def test_keys_of_a_list_are_found_in_another_normal_form(images):
    (images / 'u\u0308.jpg').write_bytes((images / 'a.jpg').read_bytes())
    assert names_below(images, ['images/ü.jpg'])[1] == ['u\u0308.jpg']
