"""Continuing an annotation, protection of earlier masks, and names of masks."""

import os

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.annotation.queue import AnnotationQueue
from cfcn_plugin.masks import MaskError

MASK = np.eye(4, 6, dtype=np.uint8)


@pytest.fixture
def masks(tmp_path):
    return tmp_path / 'data' / 'masks'


def test_saved_masks_are_0_and_255_in_one_channel(images, masks):
    AnnotationQueue(images, masks).save('sub/c.jpg', MASK)
    with Image.open(masks / 'sub' / 'c.png') as file:
        assert file.mode == 'L' and file.size == (6, 4)
        np.testing.assert_array_equal(np.array(file), MASK * 255)


def test_next_session_goes_on_where_the_last_one_stopped(images, masks):
    queue = AnnotationQueue(images, masks)
    assert queue.names == ['a.jpg', 'b.png', 'sub/c.jpg']
    assert queue.next_pending() == 0
    queue.save('a.jpg', MASK)
    queue.skip('b.png')
    again = AnnotationQueue(images, masks)
    assert again.done == {'a.jpg'} and again.skipped == {'b.png'}
    assert again.next_pending() == 2
    again.save('sub/c.jpg', MASK)
    assert again.next_pending() is None


def test_search_for_a_pending_image_goes_round(images, masks):
    queue = AnnotationQueue(images, masks)
    assert [queue.next_pending(i) for i in (0, 1, 2)] == [1, 2, 0]
    queue.save('a.jpg', MASK)
    assert queue.next_pending(2) == 1


def test_mask_of_an_earlier_session_is_not_overwritten_by_itself(images, masks):
    AnnotationQueue(images, masks).save('a.jpg', MASK)
    queue = AnnotationQueue(images, masks)
    with pytest.raises(FileExistsError, match='a.png.*earlier session'):
        queue.save('a.jpg', 1 - MASK)
    np.testing.assert_array_equal(queue.load_mask('a.jpg', (4, 6)), MASK)
    queue.save('a.jpg', 1 - MASK, replace=True)
    queue.save('a.jpg', MASK)  # now it is this session's own
    np.testing.assert_array_equal(queue.load_mask('a.jpg', (4, 6)), MASK)


def test_redo_shows_all_again_and_may_replace(images, masks):
    AnnotationQueue(images, masks).save('a.jpg', MASK)
    queue = AnnotationQueue(images, masks, redo=True)
    assert queue.next_pending() == 0
    queue.save('a.jpg', 1 - MASK)
    assert queue.next_pending() == 1


def test_skipped_image_that_gets_a_mask_is_skipped_no_more(images, masks):
    queue = AnnotationQueue(images, masks)
    queue.skip('a.jpg')
    queue.save('a.jpg', MASK)
    assert not AnnotationQueue(images, masks).skipped


@pytest.mark.parametrize(
    'name',
    [
        'a\nb.jpg',
        'a\r.jpg',
        'a\u2028b.jpg',
        os.fsdecode(b'caf\xe9.jpg'),
        '"a".jpg',
        '" a.jpg',
        ' a.jpg',
        '$a.jpg',
        '\x1b[2J.jpg',
    ],
)
def test_image_of_any_name_can_be_skipped_and_masked(images, masks, name):
    Image.new('RGB', (6, 4)).save(images / name)
    AnnotationQueue(images, masks).skip(name)
    queue = AnnotationQueue(images, masks)
    assert queue.skipped == {name}
    queue.save(name, MASK)
    assert AnnotationQueue(images, masks).done == {name}


def test_kill_between_mask_and_list_leaves_a_masked_image_not_skipped(images, masks):
    AnnotationQueue(images, masks).skip('a.jpg')
    skipped = (masks / 'skipped.txt').read_bytes()
    AnnotationQueue(images, masks).save('a.jpg', MASK)
    (masks / 'skipped.txt').write_bytes(skipped)
    queue = AnnotationQueue(images, masks)
    assert queue.done == {'a.jpg'} and queue.skipped == set()


def test_list_of_skipped_images_that_is_damaged_hides_no_image(images, masks):
    masks.mkdir()
    (masks / 'skipped.txt').write_bytes(b'a.jpg\r\n\xff\xfe\n"b.p')
    assert AnnotationQueue(images, masks).next_pending() == 1


def test_mask_files_beside_the_images_are_no_images(images):
    queue = AnnotationQueue(images, images / 'masks')
    queue.save('a.jpg', MASK)
    assert len(AnnotationQueue(images, images / 'masks')) == 3


def test_mask_of_another_size_is_named(images, masks):
    queue = AnnotationQueue(images, masks)
    queue.save('a.jpg', MASK)
    with pytest.raises(MaskError, match=r"'.*a.png'.*\(4, 6\).*\(6, 4\)"):
        queue.load_mask('a.jpg', (6, 4))


def test_name_that_does_not_exist_is_shown(images, masks):
    with pytest.raises(FileNotFoundError, match="1 of 2 images.*'z.jpg'"):
        AnnotationQueue(images, masks, ['a.jpg', 'z.jpg'])


@pytest.mark.parametrize(
    'name', ['../secret.png', 'sub/../../../secret.png', '..\\secret.png']
)
def test_name_outside_the_folder_is_refused_before_anything_is_drawn(
    images, masks, name
):
    with pytest.raises(MaskError, match='expected a path below'):
        AnnotationQueue(images, masks, ['a.jpg', name])
    queue = AnnotationQueue(images, masks)
    with pytest.raises(MaskError, match='expected a path below'):
        queue.save(name, MASK, replace=True)
    assert not masks.exists()


def test_mask_is_not_written_through_a_link_out_of_the_folder(images, masks):
    masks.mkdir()
    (masks / 'sub').symlink_to(images / 'sub')
    with pytest.raises(MaskError, match='c.png.*links to'):
        AnnotationQueue(images, masks).save('sub/c.jpg', MASK)
    assert [file.name for file in (images / 'sub').iterdir()] == ['c.jpg']


def test_masks_among_images_that_they_would_replace_are_refused(images):
    with pytest.raises(MaskError, match="would replace image 'b.png'"):
        AnnotationQueue(images, images, redo=True)


@pytest.mark.parametrize('name', ['\udcff.jpg', 'a\u2028b.jpg', 'a\x85.jpg', 'ü .jpg'])
def test_skipped_image_of_any_name_is_skipped_again(images, masks, name):
    (images / name).write_bytes((images / 'a.jpg').read_bytes())
    AnnotationQueue(images, masks).skip(name)
    assert AnnotationQueue(images, masks).skipped == {name}
