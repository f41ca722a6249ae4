"""A cache of outlines that several processes use at once."""

import multiprocessing
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from cfcn_plugin.masks.refine import GrabCut
from cfcn_plugin.masks.refine_cache import RefineCache

ROUNDS, PROCESSES = 20, 4


def entry(number):
    image = np.full((20, 30, 3), number, np.uint8)
    mask = np.zeros((20, 30), np.uint8)
    mask[4:12, 5:20] = 1
    return image, mask


def write_together(folder, barrier, results):
    cache, found = RefineCache(folder, 'test'), []

    def make(image, mask):
        barrier.wait()  # nobody has written yet
        return 1 - mask, Counter(outline=int(image[0, 0, 0]))

    try:
        for number in range(ROUNDS):
            barrier.wait()
            outline, ways = cache.get(*entry(number), make)
            found.append((outline.tolist(), ways['outline']))
        results.put(found)
    except BaseException as error:
        barrier.abort()
        results.put(repr(error))


def test_processes_that_make_the_same_entry_at_once_all_go_on(tmp_path):
    context = multiprocessing.get_context('fork')
    barrier, results = context.Barrier(PROCESSES), context.Queue()
    started = [
        context.Process(target=write_together, args=(tmp_path, barrier, results))
        for _ in range(PROCESSES)
    ]
    for process in started:
        process.start()
    found = [results.get(timeout=100) for _ in started]
    for process in started:
        process.join()
    right = [((1 - entry(number)[1]).tolist(), number) for number in range(ROUNDS)]
    assert found == [right] * PROCESSES
    # whole entries, and nothing else
    files = [file for file in tmp_path.rglob('*') if file.is_file()]
    assert len(files) == ROUNDS
    cache = RefineCache(tmp_path, 'test')
    for number, (outline, _) in enumerate(right):
        again, _ = cache.get(*entry(number), lambda *_: pytest.fail('made again'))
        assert again.tolist() == outline


def test_writers_of_one_entry_do_not_share_a_partial_file(tmp_path, monkeypatch):
    cache, barrier, real = RefineCache(tmp_path, 'test'), Barrier(2), Path.open

    def open_together(self, mode='r', *arguments, **options):
        if mode != 'xb':
            return real(self, mode, *arguments, **options)
        barrier.wait(20)
        try:
            return real(self, mode, *arguments, **options)
        finally:
            barrier.wait(20)  # none is written before both are opened

    monkeypatch.setattr(Path, 'open', open_together)
    with ThreadPoolExecutor(2) as pool:
        made = list(
            pool.map(
                lambda _: cache.get(
                    *entry(1), lambda image, mask: (mask, Counter(core=1))
                ),
                range(2),
            )
        )
    assert [ways for _, ways in made] == [Counter(core=1)] * 2
    (file,) = [file for file in tmp_path.rglob('*') if file.is_file()]
    assert not file.name.startswith('.')


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match=str(tmp_path)):
        RefineCache(tmp_path, 'test').get(
            *entry(1), lambda *_: (entry(1)[1], Counter())
        )


def test_a_cache_that_was_made_with_other_options_is_not_read(tmp_path):
    image, mask = entry(7)
    GrabCut(cache=tmp_path, margin=0.1)(image, mask)
    before = {file.name for file in tmp_path.rglob('*')}
    GrabCut(cache=tmp_path, margin=0.2)(image, mask)
    assert before < {file.name for file in tmp_path.rglob('*')}
