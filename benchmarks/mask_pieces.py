"""The time of each step of the pipelines of :mod:`.masks`, with masks and without.

python -m benchmarks.mask_pieces
"""

import tempfile
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.registry import DefaultScope

from .masks import PIPELINES, REFINED, SOURCES, guided, make_data, stock

IMAGES, ROUNDS = 24, 12
clock: Callable[[], float] = time.thread_time


def main() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    with (
        tempfile.TemporaryDirectory() as root,
        DefaultScope.overwrite_default_scope('mmpretrain'),
    ):
        make_data(Path(root), IMAGES)
        for name, steps in PIPELINES.items():
            pipelines = {'without masks': stock(steps)}
            for source, config in SOURCES.items():
                pipelines[source] = guided(
                    steps,
                    dict(config, data_root=root),
                    dict(type='GrabCut', cache=f'{root}/outlines')
                    if source == REFINED
                    else None,
                )
            print(f'\n{name}: ms an image of each step')
            for source, first_time, took in pieces(pipelines, Path(root)):
                parts = ' + '.join(f'{step} {ms:.3f}' for step, ms in took.items())
                print(f'  {source}{", first time" * first_time}: {parts}')


def pieces(pipelines: dict[str, Compose], root: Path):
    """Name, whether each mask is loaded for the first time, and ms by step."""
    rounds = {}
    for number in range(-2, ROUNDS):  # alternately; the first two are not counted
        for source, pipeline in pipelines.items():
            for first_time in (False, True):
                used = deepcopy(pipeline) if first_time else pipeline
                took = one_round(used, root, number + 2)
                if number >= 0:
                    rounds.setdefault((source, first_time), []).append(took)
    for (source, first_time), found in rounds.items():
        if source in SOURCES or not first_time:
            yield (
                source,
                first_time,
                {step: median(one[step] for one in found) for step in found[0]},
            )


def one_round(pipeline: Compose, root: Path, seed: int) -> dict[str, float]:
    np.random.seed(seed)
    took = {}
    for i in range(IMAGES):
        results = dict(img_path=str(root / 'images' / f'{i}.jpg'), gt_label=0)
        for step in pipeline.transforms:
            start = clock()
            results = step(results)
            name = type(getattr(step, 'inner', step)).__name__
            took[name] = took.get(name, 0) + 1000 * (clock() - start) / IMAGES
    return took


if __name__ == '__main__':
    main()
