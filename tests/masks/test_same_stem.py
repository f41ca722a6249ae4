"""Two images with one mask: every source by stem says so, or the mask says whose."""

import json
import os
import shutil

import numpy as np
import pytest
from mask_formats import FORMATS, LABELME, SHAPE, XML, image

from cfcn_plugin.annotation.png_folder import check_distinct_masks
from cfcn_plugin.annotation.queue import AnnotationQueue
from cfcn_plugin.masks import LabelMeMasks, MaskError, MaskLoader, PNGMasks, VOCMasks
from cfcn_plugin.masks.io import stored_names
from cfcn_plugin.masks.io.stored_names import images_of_stem

TWO = "one mask belongs to 2 images, '{0}a.jpg', '{0}a.png': move all but one"


def sample(root, name):
    return dict(img_path=str(root / name), ori_shape=SHAPE, gt_label=0)


# masks beside the images whose names are no images' names
@pytest.mark.parametrize(
    'name', ['LabelMe', 'YOLO', 'VOC boxes', 'MATLAB', 'IDRiD', 'CVAT', 'CVAT labels']
)
def test_each_source_by_stem_refuses_two_images(tmp_path, name):
    one = FORMATS[name]
    assert one.read(tmp_path, one.encoded()).mask.any()
    source = one.make(str(tmp_path))
    for ending in ('jpg', 'png'):
        (tmp_path / f'a.{ending}').write_bytes(image())
    for end in ('jpg', 'png'):  # a plain loop, without a check
        with pytest.raises(MaskError, match=TWO.format('')):
            source(sample(tmp_path, f'a.{end}'))
    with pytest.raises(MaskError, match=TWO.format('')):
        source.check()
    os.rename(tmp_path / 'a.png', tmp_path / 'b.png')
    source.check()
    assert source(sample(tmp_path, 'a.jpg')).mask.any()
    assert source(sample(tmp_path, 'b.png')) is None


@pytest.fixture
def root(tmp_path):
    for name in ('images/a.jpg', 'images/a.png', 'masks/a.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(image())
    return tmp_path


def test_message_names_mask_images_and_a_remedy_that_works(root):
    source = PNGMasks('masks', 'images', str(root))
    with pytest.raises(MaskError, match=TWO.format('images/')) as caught:
        source.check()
    assert str(caught.value).startswith(f"'{root / 'masks'}', 'images/a': one mask")
    with pytest.raises(MaskError, match=f"^'{root / 'masks/a.png'}': one mask"):
        source(sample(root, 'images/a.jpg'))
    os.rename(root / 'images/a.png', root / 'images/thumbnail.png')
    source.check()
    assert source(sample(root, 'images/a.jpg')).mask.any()


@pytest.mark.parametrize('ending', ['avif', 'GIF', 'jfif', 'jp2', 'jpe'])
def test_every_kind_of_image_that_a_pipeline_loads_counts(root, ending):
    (root / 'images/a.png').rename(root / f'images/a.{ending}')
    source = PNGMasks('masks', 'images', str(root))
    for use in (source.check, lambda: source(sample(root, 'images/a.jpg'))):
        with pytest.raises(MaskError, match=f"2 images, .*'images/a.{ending}'"):
            use()


def test_image_without_a_mask_may_share_its_stem(root):
    (root / 'masks/a.png').rename(root / 'masks/b.png')
    (root / 'images/b.jpg').touch()
    source = PNGMasks('masks', 'images', str(root))
    source.check()
    assert source(sample(root, 'images/a.jpg')) is None
    assert source.missing(['images/a.jpg', 'images/b.jpg']) == ['images/a.jpg']


def test_files_that_are_no_images_do_not_count(root):
    (root / 'images/a.png').unlink()
    for name in ('a.txt', 'a.json', 'a.xml', '._a.png', '.a.png', 'a'):
        (root / 'images' / name).touch()
    (root / 'images/a.tif').mkdir()
    source = PNGMasks('masks', 'images', str(root))
    source.check()
    assert source(sample(root, 'images/a.jpg')).mask.any()


def test_mask_beside_its_image_is_no_second_image(root):
    shutil.rmtree(root / 'masks')
    source = PNGMasks('images', 'images', str(root))
    source.check()
    assert source(sample(root, 'images/a.jpg')).mask.any()
    (root / 'images/a.bmp').write_bytes(image())
    with pytest.raises(MaskError, match="2 images, 'images/a.bmp', 'images/a.jpg'"):
        source(sample(root, 'images/a.jpg'))


def test_policy_for_unusable_masks_holds(root):
    loader = MaskLoader(
        PNGMasks('masks', 'images', str(root)), on_error='unguided', warn=print
    )
    result = loader.load(sample(root, 'images/a.jpg'), SHAPE)
    assert result.kind == 'unusable' and 'belongs to 2 images' in result.reason


def test_second_image_that_comes_later_is_seen(root, monkeypatch):
    monkeypatch.setattr(stored_names, 'SETTLED', -1)  # the folder counts as old
    source = PNGMasks('masks', 'images', str(root))
    (root / 'images/a.png').unlink()
    os.utime(root / 'images', ns=(0, 10**9))
    assert source(sample(root, 'images/a.jpg')).mask.any()
    (root / 'images/a.png').write_bytes(image())
    with pytest.raises(MaskError, match='belongs to 2 images'):
        source(sample(root, 'images/a.jpg'))


def test_settled_folder_is_listed_once(root, monkeypatch):
    os.utime(root / 'images', ns=(0, 10**9))
    first = images_of_stem(str(root / 'images/a.jpg'))
    assert first == ('a.jpg', 'a.png')
    monkeypatch.setattr(os, 'listdir', None)
    assert images_of_stem(str(root / 'images/a.png')) == first
    assert images_of_stem(str(root / 'gone/a.png')) == ()


# ---- formats that name their image -------------------------------------------


def labelme(root, path):
    (root / 'masks/a.json').write_text(json.dumps({**LABELME, 'imagePath': path}))
    return LabelMeMasks('masks', 'images', str(root), radius=1)


def voc(root, path):
    text = XML.replace('<size>', f'<filename>{path}</filename><size>')
    (root / 'masks/a.xml').write_text(text)
    return VOCMasks(str(root), 'bbox', images='images', masks='masks')


@pytest.mark.parametrize('make', [labelme, voc])
@pytest.mark.parametrize('path', ['a.png', '../images/a.png', '..\\images\\a.png'])
def test_file_that_names_its_image_is_the_mask_of_this_image(root, make, path):
    source = make(root, path)
    source.check()
    assert source(sample(root, 'images/a.png')).mask.any()
    assert source(sample(root, 'images/a.jpg')) is None
    assert source.missing(['images/a.jpg', 'images/a.png']) == ['images/a.jpg']


@pytest.mark.parametrize('make,field', [(labelme, '`imagePath`'), (voc, '<filename>')])
@pytest.mark.parametrize('path', ['', 'b.jpg', 'a.bmp', 'A.JPG'])
def test_file_that_names_neither_image_is_refused(root, make, field, path):
    source = make(root, path)
    for call in (source.check, lambda: source(sample(root, 'images/a.png'))):
        with pytest.raises(MaskError, match=f'belongs to 2 images.*correct {field}$'):
            call()


def test_name_of_the_only_image_is_not_compared(root):
    (root / 'images/a.png').unlink()  # an image that was renamed with its mask
    source = labelme(root, 'IMG_1.jpg')
    source.check()
    assert source(sample(root, 'images/a.jpg')).mask.any()


# ---- writing masks -----------------------------------------------------------


def test_drawing_refuses_an_image_that_shares_its_mask_with_another(root):
    for names in (None, ['a.jpg']):
        with pytest.raises(MaskError, match="images 'a.jpg' and 'a.png' would have th"):
            AnnotationQueue(root / 'images', root / 'out', names)


def test_names_in_two_normal_forms_would_have_one_mask():
    with pytest.raises(MaskError, match=r"'\\xe4.jpg' and 'a\\u0308.jpg' would have"):
        check_distinct_masks(['\xe4.jpg', 'a\u0308.jpg'])


def test_same_mask_is_found_again_after_the_images_are_named_apart(root):
    np.testing.assert_array_equal(
        labelme(root, 'a.jpg')(sample(root, 'images/a.jpg')).mask,
        labelme(root, 'a.png')(sample(root, 'images/a.png')).mask,
    )
