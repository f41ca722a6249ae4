"""How masks were refined is told before training, and after the first epoch."""

import logging
from collections import Counter
from types import SimpleNamespace

import pytest
from gloo_processes import run_in_processes
from mmpretrain.structures import DataSample
from torch import nn

from cfcn_plugin.masks import GrabCut
from cfcn_plugin.masks.boxes import BoxMasks
from cfcn_plugin.mm.engine import GuidanceCheckHook
from cfcn_plugin.mm.engine.outline_count import OutlineCount
from cfcn_plugin.mm.transforms import LoadActivationMask


class Lines(logging.Handler):
    """What was logged, as (level, text)."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append((record.levelname, record.getMessage()))


@pytest.fixture
def lines():
    return Lines()


def logger_of(lines):
    logger = logging.Logger('run')
    logger.addHandler(lines)
    return logger


def batch(**ways):
    """Packed samples, each with its ways; without ways an unguided image."""
    samples = []
    for name, way in ways.items():
        sample = DataSample(metainfo=dict(img_path=name))
        if way is not None:
            sample.set_field(Counter(way), 'outline_ways')
        samples.append(sample)
    return dict(data_samples=samples)


def test_each_image_counts_once_and_an_unguided_one_not(lines):
    count = OutlineCount()
    count.add(batch(a=['outline', 'core'], b=['outline'], c=None))
    count.add(batch(b=['outline']))
    count.tell(logger_of(lines))
    ((level, text),) = lines.lines
    assert level == 'INFO'
    assert text == (
        'refine: 3 marks of 2 images: 2 outlines (66.7%), 1 outlines by the second try '
        '(33.3%), 0 ellipses in the mark (0.0%), 0 marks as they are (0.0%)'
    )


@pytest.mark.parametrize(
    'way,said',
    [
        ('ellipse', '1 ellipses in the mark (50.0%)'),
        ('mark', '1 marks as they are (50.0%)'),
    ],
)
def test_a_mark_without_an_outline_is_a_warning(lines, way, said):
    count = OutlineCount()
    count.add(batch(a=['outline'], b=[way]))
    count.tell(logger_of(lines))
    ((level, text),) = lines.lines
    assert level == 'WARNING' and said in text and 'tools/check_masks.py' in text


def test_nothing_refined_is_nothing_told(lines):
    OutlineCount().tell(logger_of(lines))
    assert not lines.lines


def told_by_rank(rank):
    lines, count = Lines(), OutlineCount()
    count.add(batch(**{f'{rank}': ['outline', ('core', 'ellipse')[rank]]}))
    count.tell(logger_of(lines))
    return lines.lines


def test_the_counts_are_of_all_processes():
    for ((level, text),) in run_in_processes(told_by_rank, 2):
        assert level == 'WARNING'
        assert text.startswith('refine: 4 marks of 2 images: 2 outlines (50.0%), 1 ')


@pytest.fixture
def runner(tmp_path, lines):
    """A run whose pipeline refines boxes into a cache, or has no cache."""

    def make(cache='outlines'):
        (tmp_path / 'boxes.csv').write_text('filename,x0,y0,x1,y1\na.png,0,0,4,4\n')
        load = LoadActivationMask(
            BoxMasks('boxes.csv', data_root=str(tmp_path)),
            refine=GrabCut(cache=cache and str(tmp_path / cache)),
        )
        dataset = SimpleNamespace(
            pipeline=SimpleNamespace(transforms=[load]), metainfo={}
        )
        return SimpleNamespace(
            model=nn.Module(),
            hooks=[],
            logger=logger_of(lines),
            train_dataloader=SimpleNamespace(dataset=dataset),
        )

    return make


def train(runner, epochs=2):
    hook = GuidanceCheckHook(sources=False)
    hook.before_train(runner)
    for _ in range(epochs):
        hook.after_train_iter(runner, 0, data_batch=batch(a=['outline']), outputs={})
        hook.after_train_epoch(runner)


def test_the_folder_is_told_before_and_the_count_after_the_first_epoch(runner, lines):
    train(runner())
    (before, start), (after, count) = lines.lines
    assert before == after == 'INFO'
    assert "/outlines'" in start and 'first epoch' in start
    assert count.startswith('refine: 1 marks of 1 images: 1 outlines (100.0%)')


def test_refining_anew_in_each_epoch_is_a_warning(runner, lines):
    train(runner(cache=None), epochs=0)
    ((level, text),) = lines.lines
    assert level == 'WARNING' and "refine=dict(..., cache='" in text
