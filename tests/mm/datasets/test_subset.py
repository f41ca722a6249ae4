"""Training images and masks of a cell: the requested number, and nested."""

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from cfcn_plugin.mm.datasets.subset import choose_images, choose_masks, training_images

NUMBER = 20
MASKED = 8  # the first images that have one


@pytest.fixture
def config(tmp_path):
    """A function that gives the config of a generated data set anew."""
    grey = Image.fromarray(np.full((4, 4), 255, np.uint8))
    lines = ['filename,label,split']
    (tmp_path / 'masks').mkdir()
    for i in range(NUMBER):
        name = f'{i:02d}.png'
        grey.convert('RGB').save(tmp_path / name)
        if i < MASKED:
            grey.save(tmp_path / 'masks' / name)
        lines.append(f'{name},{"ab"[i % 2]},train')
    (tmp_path / 'labels.csv').write_text('\n'.join(lines) + '\n')

    def make():
        return Config(
            dict(
                train_dataloader=dict(
                    dataset=dict(
                        type='CSVDataset',
                        data_root=str(tmp_path),
                        ann_file='labels.csv',
                        classes=['a', 'b'],
                        split='train',
                        pipeline=[
                            dict(type='LoadImageFromFile'),
                            dict(
                                type='LoadActivationMask',
                                missing='unguided',
                                source=dict(
                                    type='PNGMasks',
                                    data_root=str(tmp_path),
                                    masks='masks',
                                ),
                            ),
                            dict(type='PackGuidedInputs'),
                        ],
                    )
                )
            )
        )

    return make


def images_of(cfg):
    return {key for key, _ in training_images(cfg)}


def guided_of(cfg, tmp_path, masks, seed=0):
    choose_masks(cfg, masks, seed, tmp_path / 'guided.txt')
    load = cfg.train_dataloader.dataset.pipeline[1]
    if load.get('fraction') == 0:
        return set()
    return set(open(load['image_list']).read().split())


def test_images_have_key_and_label(config):
    assert training_images(config())[:3] == [
        ('00.png', 0),
        ('01.png', 1),
        ('02.png', 0),
    ]


def test_sizes_are_exact_and_nested(config):
    chosen = []
    for size in (3, 9, 20):
        cfg = config()
        choose_images(cfg, size, seed=1)
        chosen.append(images_of(cfg))
    assert [len(some) for some in chosen] == [3, 9, 20]
    assert chosen[0] < chosen[1] < chosen[2]


def test_another_seed_chooses_others(config):
    first, second = config(), config()
    choose_images(first, 6, seed=0)
    choose_images(second, 6, seed=1)
    assert images_of(first) != images_of(second)


def test_masks_are_of_images_that_have_one_and_nested(config, tmp_path):
    few, more = (guided_of(config(), tmp_path, n) for n in (2, 5))
    have = {f'{i:02d}.png' for i in range(MASKED)}
    assert len(few) == 2 and len(more) == 5 and few < more <= have


def test_fraction_is_of_the_training_images_and_all_means_all_there_are(
    config, tmp_path
):
    assert len(guided_of(config(), tmp_path, '10%')) == 2
    assert len(guided_of(config(), tmp_path, '1%')) == 1  # not none
    assert len(guided_of(config(), tmp_path, '100%')) == MASKED
    assert guided_of(config(), tmp_path, '0%') == set()
    assert guided_of(config(), tmp_path, 0) == set()


def test_masks_lie_inside_the_chosen_images(config, tmp_path):
    cfg = config()
    choose_images(cfg, 10, seed=0)
    assert guided_of(cfg, tmp_path, '100%') <= images_of(cfg)


def test_impossible_numbers_say_what_there_is(config, tmp_path):
    with pytest.raises(ValueError, match='9 masks are requested, but only 8 of 20'):
        guided_of(config(), tmp_path, 9)
    with pytest.raises(ValueError, match='12 masks are requested, but only 8 of 20'):
        guided_of(config(), tmp_path, '60%')
    with pytest.raises(ValueError, match='the training set has 20'):
        choose_images(config(), 21, seed=0)


def test_config_must_leave_room_for_the_choice(config, tmp_path):
    cfg = config()
    cfg.train_dataloader.dataset.indices = [0, 1]
    with pytest.raises(ValueError, match='`indices` of its own'):
        choose_images(cfg, 1, seed=0)
    del cfg.train_dataloader.dataset.pipeline[1]
    with pytest.raises(ValueError, match='no LoadActivationMask'):
        choose_masks(cfg, 1, 0, tmp_path / 'guided.txt')


def test_wrapped_data_set_is_chosen_from_several_are_refused(config):
    cfg = config()
    inner = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(type='RepeatDataset', times=2, dataset=inner)
    choose_images(cfg, 4, seed=0)
    assert len(cfg.train_dataloader.dataset.dataset.indices) == 4
    cfg.train_dataloader.dataset = dict(type='ConcatDataset', datasets=[inner])
    with pytest.raises(ValueError, match='wraps several data sets'):
        choose_images(cfg, 4, seed=0)
