"""CUB-200-2011: boxes from two text files, and segmentations by five annotators."""

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS
from PIL import Image
from unbroken import unbroken

from cfcn_plugin.masks import CUBBoxMasks, CUBSegmentationMasks, MaskError

NAME = '001.Albatross/a_1.jpg'
SHAPE = (4, 6)


def write(
    root, images=f'1 {NAME}\n2 b/b.jpg\n', boxes='1 1.0 1.0 3.0 2.0\n2 0 0 2 1\n'
):
    (root / 'images.txt').write_text(images)
    (root / 'bounding_boxes.txt').write_text(boxes)
    return str(root)


def sample(root, name=NAME, shape=SHAPE):
    return dict(img_path=str(root / 'images' / name), ori_shape=shape)


def test_box_is_corner_and_size(tmp_path):
    made = TASK_UTILS.build(dict(type='CUBBoxMasks', data_root=write(tmp_path)))
    np.testing.assert_array_equal(
        made(sample(tmp_path)).mask,
        [
            [0, 0, 0, 0, 0, 0],
            [0, 1, 1, 1, 0, 0],
            [0, 1, 1, 1, 0, 0],
            [0, 0, 0, 0, 0, 0],
        ],
    )
    assert made.keys() == [f'images/{NAME}', 'images/b/b.jpg']
    assert made(sample(tmp_path, 'c.jpg')) is None


def test_image_without_a_box_is_named(tmp_path):
    with pytest.raises(MaskError, match="txt', .*id 2 of '.*images.txt' has no box"):
        CUBBoxMasks(write(tmp_path, boxes='1 1 1 3 2\n'))(sample(tmp_path, 'b/b.jpg'))


def test_fractions_need_the_option(tmp_path):
    root = write(tmp_path, boxes='1 0.1 0.1 0.5 0.5\n2 1 1 3 2\n')
    with pytest.raises(MaskError, match='look like fractions'):
        CUBBoxMasks(root)(sample(tmp_path))
    mask = CUBBoxMasks(root, normalized=True)(sample(tmp_path)).mask
    np.testing.assert_array_equal(mask, [[0, 1, 1, 1, 0, 0]] * 2 + [[0] * 6] * 2)


@pytest.mark.parametrize(
    'wrong,message',
    [
        (
            dict(images=f'1 {NAME}\n1 b.jpg'),
            r"images.txt', line 2: .*new id.*'1 b.jpg'",
        ),
        (dict(images='1\n'), "images.txt', line 1: .*new id and a path, got '1'"),
        (dict(images='1 ../../a.jpg\n'), r"path 'images/\.\./\.\./a.jpg' has '\.\.'"),
        (
            dict(boxes='7 1 1 3 2\n'),
            "bounding_boxes.txt', line 1: id 7 is none of.*images",
        ),
        (dict(boxes='1 1 1 3 2\n1 1 1 3 2\n'), 'line 2: id 1 occurs twice'),
        (dict(boxes='1 1 1 3\n'), "line 1: expected four finite numbers.*'3'"),
        (dict(boxes='1 1 nan 3 2\n'), "line 1: expected four finite numbers.*'nan'"),
        (dict(boxes='1 1 1 -3 2\n'), 'line 1: box .* has no inside'),
        (dict(boxes=''), 'holds no box'),
    ],
)
def test_wrong_line_names_file_line_and_what_came(tmp_path, wrong, message):
    with pytest.raises(MaskError, match=message):
        unbroken(CUBBoxMasks(write(tmp_path, **wrong)))


@pytest.mark.parametrize('name', ['images.txt', 'bounding_boxes.txt'])
def test_missing_or_broken_file_is_named(tmp_path, name):
    write(tmp_path)
    (tmp_path / name).write_bytes('1 ä'.encode('latin1'))
    with pytest.raises(MaskError, match=f"{name}': not text in UTF-8"):
        CUBBoxMasks(str(tmp_path))
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name}' does not exist"):
        CUBBoxMasks(str(tmp_path))


# ---- segmentations ---------------------------------------------------------

VOTES = np.array([[0, 51, 102], [153, 204, 255]], np.uint8)


def segmentation(root, image):
    file = root / 'segmentations' / NAME.replace('.jpg', '.png')
    file.parent.mkdir(parents=True)
    image.save(file)
    return file


@pytest.mark.parametrize('threshold,votes', [(None, 3), (1, 1), (255, 5)])
def test_as_many_of_five_as_asked_for(tmp_path, threshold, votes):
    file = segmentation(tmp_path, Image.fromarray(VOTES))
    options = {} if threshold is None else dict(threshold=threshold)
    made = CUBSegmentationMasks(str(tmp_path), **options)
    record = made(sample(tmp_path, shape=VOTES.shape))
    assert record.file == str(file) and record.mask.dtype == np.uint8
    np.testing.assert_array_equal(record.mask, 51 * votes <= VOTES)


def test_alpha_that_says_nothing_is_left_out(tmp_path):
    grey = Image.fromarray(VOTES)
    segmentation(tmp_path, Image.merge('LA', [grey, Image.new('L', grey.size, 255)]))
    record = CUBSegmentationMasks(str(tmp_path))(sample(tmp_path, shape=VOTES.shape))
    np.testing.assert_array_equal(record.mask, VOTES >= 128)


def test_palette_goes_by_its_grey_levels(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8))
    image.putpalette([204, 204, 204, 0, 0, 0, 102, 102, 102])
    segmentation(tmp_path, image)
    mask = CUBSegmentationMasks(str(tmp_path))(sample(tmp_path, shape=(1, 3))).mask
    np.testing.assert_array_equal(mask, [[1, 0, 0]])


@pytest.mark.parametrize('mode', ['RGB', '1', 'LA'])
def test_other_files_are_refused(tmp_path, mode):
    segmentation(tmp_path, Image.new(mode, (3, 2)))
    with pytest.raises(MaskError, match='expected a grey PNG of 8 bits.*got shape'):
        CUBSegmentationMasks(str(tmp_path))(sample(tmp_path, shape=(2, 3)))


def test_image_without_a_segmentation_has_no_mask(tmp_path):
    assert CUBSegmentationMasks(str(tmp_path))(sample(tmp_path)) is None


@pytest.mark.parametrize('threshold', [0, 256])
def test_wrong_threshold_names_argument_and_what_came(threshold):
    with pytest.raises(ValueError, match=rf'`threshold` .*\[1, 255\], got {threshold}'):
        CUBSegmentationMasks(threshold=threshold)
