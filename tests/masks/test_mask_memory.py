"""Loaded masks are kept as they were, and forgotten with the files they are made of."""

import copy
import os
import pickle
from collections import Counter
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.masks import (
    BoxMasks,
    GrabCut,
    MaskLoader,
    MaskRecord,
    PNGMasks,
    mask_memory,
)
from cfcn_plugin.masks.mask_memory import MaskMemory, file_states, memory_key

RNG = np.random.default_rng(0)
MASK = (RNG.random((2, 5, 7)) > 0.5).astype(np.uint8)
KEY = ('a.jpg', 5, 7, None)


def record(mask=MASK, **fields):
    return MaskRecord(mask, 'a.png', made_of=(), **fields)


def test_a_record_is_found_as_it_was():
    memory, ways = MaskMemory(), Counter(core=2)
    assert memory.find(KEY) is None
    memory.keep(KEY, record(classes=np.array([1, 4]), ignore=MASK[1]), ways)
    found, found_ways = memory.find(KEY)
    np.testing.assert_array_equal(found.mask, MASK, strict=True)
    np.testing.assert_array_equal(found.ignore, MASK[1], strict=True)
    assert found.file == 'a.png' and found.classes.tolist() == [1, 4]
    assert found_ways == ways
    found.mask[:] = 0
    assert (memory.find(KEY)[0].mask == MASK).all()


def test_nothing_is_kept_that_may_change_from_draw_to_draw():
    memory = MaskMemory()
    memory.keep(KEY, MaskRecord(MASK, 'a.png'))
    memory.keep(None, record())
    assert memory.find(KEY) is None and memory.find(None) is None


def test_the_key_has_size_and_labels():
    keys = [
        memory_key(dict(img_path='a', **label), shape)
        for shape in ((5, 7), (7, 5))
        for label in (
            {},
            dict(gt_label=1),
            dict(gt_label=[1, 2]),
            dict(gt_label=np.array([1, 3])),
        )
    ]
    assert len(set(keys)) == 8
    assert memory_key(dict(img_path='a', gt_label=[1]), (5, 7)) == memory_key(
        dict(img_path='a', gt_label=np.array([1])), (5, 7)
    )
    assert memory_key(dict(sample_idx=3), (5, 7)) is None


def test_a_record_is_found_for_the_same_pixels_alone():
    memory, image = MaskMemory(), RNG.integers(0, 255, (5, 7, 3), dtype=np.uint8)
    memory.keep(KEY, record(), image=image)
    assert memory.find(KEY, image.copy()) is not None
    assert memory.find(KEY, image // 2) is None and memory.find(KEY) is None


def test_what_does_not_fit_any_more_is_not_kept(monkeypatch):
    monkeypatch.setattr(mask_memory, 'MOST_BYTES', 20)  # two masks of 9 bytes
    memory = MaskMemory()
    for name in 'abca':
        memory.keep((name,), record())
    assert [memory.find((name,)) is not None for name in 'abc'] == [True, True, False]
    for other in (copy.deepcopy(memory), pickle.loads(pickle.dumps(memory))):
        assert other.find(('a',)) is None
        other.keep(('a',), record())
        assert other.find(('a',)) is not None


def test_a_file_that_comes_or_goes_changes_the_state(tmp_path):
    file = tmp_path / 'a'
    none = file_states(file)
    file.write_text('1')
    assert file_states(file) != none and file_states(file) == file_states(file)


# ---- in a loader -----------------------------------------------------------------


def make_files(root):
    image = RNG.integers(0, 255, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(image).save(root / 'a.jpg')
    Image.fromarray(255 * MASK[0]).save(root / 'a.png')
    (root / 'boxes.csv').write_text('filename,x0,y0,x1,y1\na.jpg,1,1,4,4\n')
    return dict(img_path=str(root / 'a.jpg'), img=image)


@pytest.mark.parametrize('second', ['written', 'replaced'])
def test_a_mask_is_read_once_until_its_file_changes(tmp_path, second):
    sample = make_files(tmp_path)
    loader = MaskLoader(PNGMasks('', data_root=str(tmp_path)))
    file, source = tmp_path / 'a.png', loader.source
    with mock.patch.object(source, 'values', wraps=source.values) as values:
        for _ in range(3):
            found = loader.load(sample, (5, 7))
            np.testing.assert_array_equal(found.record.mask, MASK[0])
            assert found.kind == 'mask' and found.record.file == str(file)
        assert values.call_count == 1
        new = file if second == 'written' else tmp_path / 'new.png'
        Image.fromarray(255 * MASK[1]).save(new)
        os.utime(new, ns=(1, 1))
        os.replace(new, file)
        np.testing.assert_array_equal(loader.load(sample, (5, 7)).record.mask, MASK[1])


def test_a_mask_that_is_damaged_or_removed_while_training_is_told(tmp_path):
    sample = make_files(tmp_path)
    loader = MaskLoader(PNGMasks('', data_root=str(tmp_path)))
    loader.load(sample, (5, 7))
    (tmp_path / 'a.png').write_bytes(b'cut')
    with pytest.raises(ValueError, match='cannot be read'):
        loader.load(sample, (5, 7))
    (tmp_path / 'a.png').unlink()
    with pytest.raises(ValueError, match='has no mask'):
        loader.load(sample, (5, 7))


def test_a_changed_image_is_asked_about_again(tmp_path):
    sample = make_files(tmp_path)
    loader = MaskLoader(BoxMasks('boxes.csv', str(tmp_path)))
    first = loader.load(sample, (5, 7)).record.mask
    exif = Image.Exif()
    exif[0x0112] = 3
    image = Image.fromarray(sample['img'])
    image.save(tmp_path / 'a.jpg', exif=exif, quality=100)
    with pytest.raises(ValueError, match='EXIF orientation'):  # loaded without it
        loader.load(sample, (5, 7))
    image.save(tmp_path / 'a.jpg')
    np.testing.assert_array_equal(loader.load(sample, (5, 7)).record.mask, first)


def test_a_photograph_with_an_orientation_is_compared_in_each_draw(tmp_path):
    sample = make_files(tmp_path)
    exif, pixels = Image.Exif(), RNG.integers(0, 255, (5, 7, 3), dtype=np.uint8)
    exif[0x0112] = 3
    Image.fromarray(pixels).save(tmp_path / 'a.jpg', exif=exif, quality=100)
    loader = MaskLoader(BoxMasks('boxes.csv', str(tmp_path)))
    stored = np.asarray(Image.open(tmp_path / 'a.jpg'))
    for _ in range(2):
        sample['img'] = stored[::-1, ::-1]
        assert loader.load(sample, (5, 7)).kind == 'mask'
        sample['img'] = stored
        with pytest.raises(ValueError, match='EXIF orientation'):
            loader.load(sample, (5, 7))


def test_an_outline_is_made_once_for_the_pixels_of_an_image(tmp_path):
    sample = make_files(tmp_path)
    loader = MaskLoader(BoxMasks('boxes.csv', str(tmp_path)), refine=GrabCut())
    with mock.patch.object(
        loader.refine, 'refine', wraps=loader.refine.refine
    ) as refine:
        first, again = (loader.load(sample, (5, 7)) for _ in range(2))
        assert refine.call_count == 1 and again.ways == first.ways
        np.testing.assert_array_equal(first.record.mask, again.record.mask)
        loader.load(dict(sample, img=255 - sample['img']), (5, 7))
        assert refine.call_count == 2
