"""Decoded masks are kept, found as they were, and forgotten with their file."""
import copy
import os
import pickle
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.masks import MaskRecord, PNGMasks, decoded
from cfcn_plugin.masks.decoded import DecodedMasks

MASK = (np.random.default_rng(0).random((2, 5, 7)) > 0.5).astype(np.uint8)


def test_a_record_is_found_as_it_was():
    kept, record = DecodedMasks(), MaskRecord(MASK, 'a.png', np.array([1, 4]))
    assert kept.find('a', (5, 7)) is None
    assert kept.keep('a', (5, 7), record) is record
    found = kept.find('a', (5, 7))
    np.testing.assert_array_equal(found.mask, MASK, strict=True)
    assert found.file == 'a.png' and found.classes.tolist() == [1, 4]
    found.mask[:] = 0
    assert (kept.find('a', (5, 7)).mask == MASK).all()


def test_another_size_or_state_is_not_found():
    kept = DecodedMasks()
    kept.keep('a', (5, 7), MaskRecord(MASK, 'a'), (1, ))
    assert kept.find('a', (7, 5), (1, )) is None
    assert kept.find('a', (5, 7), (2, )) is None
    kept.keep('b', (5, 7), MaskRecord(MASK[0], 'b', ignore=MASK[1]))
    assert kept.find('b', (5, 7)) is None


def test_the_masks_used_last_stay(monkeypatch):
    monkeypatch.setattr(decoded, 'MOST_BYTES', 20)  # two masks of 9 bytes
    kept = DecodedMasks()
    for name in 'ab':
        kept.keep(name, (5, 7), MaskRecord(MASK, name))
    assert kept.find('a', (5, 7))
    kept.keep('c', (5, 7), MaskRecord(MASK, 'c'))
    found = [kept.find(name, (5, 7)) is not None for name in 'abc']
    assert found == [True, False, True]
    for other in (copy.deepcopy(kept), pickle.loads(pickle.dumps(kept))):
        assert other.find('a', (5, 7)) is None
        other.keep('a', (5, 7), MaskRecord(MASK, 'a'))


@pytest.mark.parametrize('second', ['written', 'replaced'])
def test_a_file_is_read_once_until_it_changes(tmp_path, second):
    file = tmp_path / 'a.png'
    Image.fromarray(255 * MASK[0]).save(file)
    source = PNGMasks('', data_root=str(tmp_path))
    sample = dict(img_path=str(tmp_path / 'a.jpg'), ori_shape=(5, 7))
    with mock.patch.object(source, 'values', wraps=source.values) as values:
        for _ in range(3):
            np.testing.assert_array_equal(source(sample).mask, MASK[0])
        assert values.call_count == 1
        new = file if second == 'written' else tmp_path / 'new.png'
        Image.fromarray(255 * MASK[1]).save(new)
        os.utime(new, ns=(1, 1))
        os.replace(new, file)
        np.testing.assert_array_equal(source(sample).mask, MASK[1])
