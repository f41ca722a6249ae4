"""Indexes of many records: found, combined, and shared without copies."""

import json
from multiprocessing.reduction import ForkingPickler
from zlib import crc32

import pytest

from cfcn_plugin.masks import BoxMasks, LabelStudioMasks, PointMasks, index
from cfcn_plugin.masks.index import RecordIndex

NAMES = [f'images/{i % 7}/ä{i}.jpg' for i in range(2000)]


@pytest.fixture(scope='module')
def many():
    return RecordIndex((name, f'record of {name}'.encode()) for name in NAMES)


def test_every_key_gives_its_own_record(many):
    for name in NAMES:
        assert many.find(name) == [f'record of {name}'.encode()]


@pytest.mark.parametrize('name', ['', 'images', 'images/0/ä0.jpg ', 'IMAGES/0/ä0.jpg'])
def test_unknown_key_has_no_records(many, name):
    assert many.find(name) == []


def test_records_of_one_key_add_up_in_their_order():
    entries = [('b', b'1'), ('a', b'2'), ('b', b''), ('b', b'3')]
    both = RecordIndex(entries)
    assert both.find('b') == [b'1', b'', b'3'] and both.find('a') == [b'2']
    assert sorted(both) == ['a', 'b'] and len(both) == 4


def test_keys_come_once_each_and_lazily(many):
    keys = iter(many)
    assert next(keys) in NAMES
    assert sorted([*keys, next(iter(many))]) == sorted(NAMES)


def test_keys_of_one_hash_are_told_apart(monkeypatch):
    monkeypatch.setattr(index, 'crc32', lambda key: len(key))
    entries = [('ab', b'1'), ('cd', b'2'), ('abc', b'3'), ('ab', b'4')]
    collided = RecordIndex(entries)
    assert collided.find('ab') == [b'1', b'4'] and collided.find('cd') == [b'2']
    assert collided.find('ef') == [] and collided.find('xyz') == []
    assert sorted(collided) == ['ab', 'abc', 'cd']


def test_hashes_above_two_to_the_31_are_found():
    high = [name for name in NAMES if crc32(name.encode()) >= 2**31]
    assert len(high) > 500
    assert all(RecordIndex([(name, b'x')]).find(name) for name in high[:20])


def test_index_of_nothing_is_empty():
    nothing = RecordIndex([])
    assert len(nothing) == 0 and list(nothing) == [] and nothing.find('a') == []


def test_name_that_is_no_unicode_is_a_key_too():
    odd = RecordIndex([('\udcff.jpg', b'1')])
    assert odd.find('\udcff.jpg') == [b'1'] and list(odd) == ['\udcff.jpg']


def test_spawned_worker_gets_handles_and_not_the_records(many):
    # how torch's DataLoader sends a data set to a spawned worker
    sent = bytes(ForkingPickler.dumps(many))
    assert len(sent) < 4000 < len(many) * 10
    received = ForkingPickler.loads(sent)
    assert all(tensor.is_shared() for tensor in vars(received).values())
    for one in (many, received):  # sharing moved the sender's memory
        assert one.find(NAMES[77]) == [f'record of {NAMES[77]}'.encode()]


def test_no_object_belongs_to_an_image(many):
    assert len(vars(many)) == 4
    assert sum(t.nbytes for t in vars(many).values()) < 100 * len(NAMES)


@pytest.mark.parametrize(
    'source,entry',
    [
        (BoxMasks, dict(filename='{}', x0=0, y0=0, x1=2, y1=2)),
        (PointMasks, dict(image='{}', x=1, y=1)),
        (LabelStudioMasks, dict(data=dict(image='{}'), annotations=[dict(result=[])])),
    ],
)
def test_sources_go_to_spawned_workers_without_their_records(tmp_path, source, entry):
    text = json.dumps(entry)
    (tmp_path / 'x.json').write_text(
        f'[{", ".join(text.replace("{}", name) for name in NAMES)}]'
    )
    made = source('x.json', data_root=str(tmp_path))
    sent = bytes(ForkingPickler.dumps(made))
    assert len(sent) < 5000
    sample = dict(img_path=str(tmp_path / NAMES[77]), ori_shape=(4, 4))
    for one in (made, ForkingPickler.loads(sent)):
        assert one(sample).mask.shape == (4, 4)
