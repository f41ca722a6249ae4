"""The cost of an index of a million boxes: opening time, and memory of a worker.

python -m benchmarks.masks_index
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset

from cfcn_plugin.masks import BoxMasks

NAME = 'train/n{0:08d}/n{0:08d}_{1}.JPEG'


class Private(Dataset):
    """Queries many masks, then gives the worker's private memory in bytes."""

    def __init__(self, source, images: int):
        self.source = source
        self.images = images

    def __len__(self) -> int:
        return 1

    def __getitem__(self, _) -> int:
        for i in range(0, self.images, max(self.images // 20000, 1)):
            name = NAME.format(i % 1000, i)
            assert self.source is None or self.source.index.find(name)
        return private_bytes()


def private_bytes() -> int:
    """The unique set size (USS): pages that only this process has."""
    lines = Path('/proc/self/smaps_rollup').read_text().splitlines()
    return 1024 * sum(
        int(line.split()[1]) for line in lines if line.startswith('Private_')
    )


def worker_bytes(source, images: int, start: str) -> int:
    loader = DataLoader(
        Private(source, images), num_workers=1, multiprocessing_context=start
    )
    return int(next(iter(loader)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--images', type=int, default=1_000_000)
    images = parser.parse_args().images
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as root:
        with open(Path(root, 'boxes.csv'), 'w', encoding='utf-8') as stream:
            stream.write('filename,x0,y0,x1,y1\n')
            stream.writelines(
                f'{NAME.format(i % 1000, i)},{i % 99}.5,3,{i % 99 + 120},99\n'
                for i in range(images)
            )
        started, cpu = time.perf_counter(), time.process_time()
        source = BoxMasks('boxes.csv', root)
        print(
            f'opening: {time.perf_counter() - started:.1f} s '
            f'({time.process_time() - cpu:.1f} s of this process on {os.cpu_count()} '
            'cores)'
        )
        for start in ('fork', 'spawn'):
            without = worker_bytes(None, images, start)
            extra = worker_bytes(source, images, start) - without
            print(f'{start}: {extra / images:.1f} private bytes an image in a worker')


if __name__ == '__main__':
    main()
