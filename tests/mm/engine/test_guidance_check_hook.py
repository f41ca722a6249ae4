"""Configs and data that the check before training refuses or accepts."""

from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmengine.hooks import CheckpointHook
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS, HOOKS, MODELS
from PIL import Image
from torch import nn

from cfcn_plugin.fine_tuning import FineTuning
from cfcn_plugin.masks import MaskError
from cfcn_plugin.mm.engine import GuidanceCheckHook
from cfcn_plugin.mm.evaluation import BackgroundSwapMetric
from cfcn_plugin.mm.transforms import MaskAware

IMAGES = ('cat/0.png', 'cat/1.png', 'dog/2.png', 'dog/3.png')
CROP = dict(type='RandomResizedCrop', scale=8)
FLIP = dict(type='RandomFlip', prob=0.5)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('data')
    for folder, mode in (('images', 'RGB'), ('masks', 'L')):
        for name in IMAGES:
            (root / folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new(mode, (16, 12), 255 if mode == 'L' else 'red').save(
                root / folder / name
            )
    return root


def aware(transform):
    return dict(type='MaskAware', transform=transform)


def dataset_of(root, *transforms, before=(), masks='masks', load=True, **options):
    source = dict(type='PNGMasks', masks=masks, images='images', data_root=str(root))
    pipeline = [dict(type='LoadImageFromFile'), *before]
    if load:
        pipeline.append(
            dict(type='LoadActivationMask', **{'source': source, **options})
        )
    return DATASETS.build(
        dict(
            type='CustomDataset',
            data_root=str(root),
            data_prefix='images',
            serialize_data=False,
            pipeline=[*pipeline, *transforms],
        )
    )


PACK = dict(type='PackGuidedInputs')


def runner_of(dataset, model=None, split='train', hooks=()):
    return SimpleNamespace(
        model=model or nn.Module(),
        hooks=hooks,
        **{f'{split}_dataloader': SimpleNamespace(dataset=dataset)},
    )


def check(dataset, model=None, **options):
    GuidanceCheckHook(**options).before_train(runner_of(dataset, model))


def model_with(num_classes):
    model = nn.Module()
    model.head = nn.Module()
    model.head.num_classes = num_classes
    return model


def test_a_good_run_is_accepted(root):
    dataset = dataset_of(root, aware(CROP), aware(FLIP), PACK)
    check(dataset, model_with(2))
    assert bool(dataset[0]['data_samples'].guided)


@pytest.mark.parametrize(
    'frozen, head, warns',
    [
        (4, dict(type='LinearClsHead'), True),
        (3, dict(type='LinearClsHead'), False),
        (4, dict(type='CausalFocusHead'), False),
    ],
)
def test_guidance_that_trains_nothing_is_told(root, frozen, head, warns):
    class_map = head['type'] == 'CausalFocusHead'
    model = MODELS.build(
        dict(
            type='GuidedClassifier',
            backbone=dict(type='ResNet', depth=18, frozen_stages=frozen),
            neck=None if class_map else dict(type='GlobalAveragePooling'),
            head=dict(head, num_classes=2),
            guidance=dict(type='CausalFocusLoss'),
        )
    )
    runner = runner_of(dataset_of(root, PACK), model)
    runner.logger = mock.Mock()
    GuidanceCheckHook().before_train(runner)
    assert runner.logger.warning.called == warns
    if warns:
        assert (
            'all of `backbone` is frozen: guidance has no effect'
            in runner.logger.warning.call_args.args[0]
        )


@pytest.mark.parametrize('transform', [
    CROP, FLIP, dict(type='EfficientNetRandomCrop', scale=8), dict(
        type='ResizeEdge', scale=8), dict(type='CenterCrop', crop_size=8)
])  # fmt: skip
def test_bare_transform_behind_the_mask_is_refused(root, transform):
    name = transform['type']
    with pytest.raises(ValueError, match=f"{name} would move.*'MaskAware', .*'{name}'"):
        check(dataset_of(root, aware(FLIP), transform, PACK))


class Swirl:
    """Of a user: it is unknown whether it moves pixels, and it keeps the size."""

    def __call__(self, results):
        results['img'] = results['img'][::-1]
        return results


def test_unknown_transform_behind_the_mask_is_refused_until_it_is_declared(root):
    with pytest.raises(ValueError, match='Swirl is unknown: it may move pixels') as e:
        check(dataset_of(root, aware(FLIP), Swirl(), PACK))
    assert "'MaskAware', photometric=True" in str(e.value)
    check(dataset_of(root, MaskAware(Swirl(), photometric=True), PACK))
    check(dataset_of(root, aware(FLIP), PACK, before=(Swirl(),)))


def test_transform_before_the_mask_and_photometric_ones_are_not_refused(root):
    jitter = dict(type='ColorJitter', brightness=0.1)
    check(dataset_of(root, jitter, PACK, before=(FLIP,)))


def test_pipeline_without_masks_is_free(root):
    check(dataset_of(root, CROP, FLIP, dict(type='PackInputs'), load=False))


def test_mask_without_an_image_is_refused(root, tmp_path):
    for folder, names in (('images', IMAGES), ('masks', (*IMAGES, 'cat/9.png'))):
        for name in names:
            file = tmp_path / folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new('L', (4, 4), 255).save(file)
    dataset = dataset_of(tmp_path, PACK)
    with pytest.raises(MaskError, match=r"1 masks of .*'images/cat/9'"):
        check(dataset)
    check(dataset, sources=False)


def test_line_of_a_list_without_an_image_is_refused(root, tmp_path):
    guided = tmp_path / 'guided.txt'
    guided.write_text('images/cat/0.png\nimages/cat/7.png\nimages/cow/1.png\n')
    with pytest.raises(
        MaskError, match=r"2 lines of list '.*guided.txt' .*'images/cat/7.png'"
    ):
        check(dataset_of(root, PACK, image_list=str(guided)))


def test_list_of_images_that_exist_is_accepted(root, tmp_path):
    guided = tmp_path / 'guided.txt'
    guided.write_text('images/cat/0.png\nimages/dog/3.png\n')
    check(dataset_of(root, PACK, image_list=str(guided)))


def test_other_number_of_classes_is_refused(root):
    with pytest.raises(
        ValueError, match=r'head\.num_classes=7, CustomDataset has 2 classes \(cat, dog'
    ):
        check(dataset_of(root, PACK), model_with(7))


def test_classes_are_compared_inside_wrappers_of_the_model(root):
    wrapped = nn.Module()
    wrapped.module = model_with(7)
    with pytest.raises(ValueError, match='num_classes=7'):
        check(dataset_of(root, PACK), wrapped)


def named(dataset, *classes):
    dataset._metainfo['classes'] = classes
    return dataset


def with_validation(trained, validated):
    runner = runner_of(trained, model_with(2))
    runner.val_loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=validated))
    return runner


@pytest.mark.parametrize(
    ('classes', 'message'),
    [
        (
            ('dog', 'cat'),
            "class 'dog' has the label 1 in training and the label 0 in "
            'CustomDataset: .* in the same order',
        ),
        (('cat', 'dog', 'cow'), 'num_classes=2, CustomDataset has 3 classes'),
    ],
)
def test_other_classes_of_the_validation_are_refused_before_training(
    root, classes, message
):
    validated = named(dataset_of(root, PACK), *classes)
    for dataset in (validated, RepeatDataset(validated, 2)):
        with pytest.raises(ValueError, match=message):
            GuidanceCheckHook().before_train(
                with_validation(dataset_of(root, PACK), dataset)
            )


@pytest.mark.parametrize(
    ('trained', 'validated'),
    [
        (('cat', 'dog'), ('cat', 'dog')),
        (('cat', 'dog'), ('felis', 'canis')),
        (('crane', 'crane'), ('crane', 'crane')),
    ],
)
def test_equal_other_and_repeated_names_are_accepted(root, trained, validated):
    GuidanceCheckHook().before_train(
        with_validation(
            named(dataset_of(root, PACK), *trained),
            named(dataset_of(root, PACK), *validated),
        )
    )


def test_a_test_has_the_labels_that_the_checkpoint_names(root):
    hook = GuidanceCheckHook()
    hook.after_load_checkpoint(
        None, dict(meta=dict(dataset_meta=dict(classes=['dog', 'cat'])))
    )
    with pytest.raises(ValueError, match="class 'cat' has the label 1 in training"):
        hook.before_test(runner_of(dataset_of(root, PACK), split='test'))


@pytest.mark.parametrize(
    'checkpoint',
    [{}, dict(meta=None), dict(meta=dict(dataset_meta=dict(classes=None)))],
)
def test_checkpoint_without_classes_is_not_asked(root, checkpoint):
    hook = GuidanceCheckHook()
    hook.after_load_checkpoint(None, checkpoint)
    hook.before_test(runner_of(dataset_of(root, PACK), split='test'))


def test_a_checkpoint_to_start_from_may_have_other_labels(root):
    hook = GuidanceCheckHook()
    hook.after_load_checkpoint(
        None, dict(meta=dict(dataset_meta=dict(classes=['dog', 'cat'])))
    )
    data = dataset_of(root, PACK)
    hook.before_train(with_validation(data, data))


def test_model_without_a_number_of_classes_is_not_asked(root):
    check(dataset_of(root, PACK), nn.Module())


@pytest.mark.parametrize('wrap', [
    lambda good, bad: RepeatDataset(bad, 2, lazy_init=True),
    lambda good, bad: ConcatDataset([good, bad]),
    lambda good, bad: torch.utils.data.ConcatDataset([good, RepeatDataset(bad, 2)]),
], ids=['repeat', 'concat', 'concat of repeat'])  # fmt: skip
def test_wrapped_data_sets_are_checked_too(root, wrap):
    good, bad = dataset_of(root, PACK), dataset_of(root, FLIP, PACK)
    with pytest.raises(ValueError, match='RandomFlip would move'):
        check(wrap(good, bad))
    check(wrap(good, good))


class Brighten:
    def __call__(self, inputs, scores):
        return 1.2 * inputs, scores


@pytest.fixture
def partly(tmp_path):
    """Four images, of which two have a mask, one of these a broken file."""
    for name in IMAGES:
        file = tmp_path / 'images' / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (4, 4)).save(file)
    for name in IMAGES[:2]:
        file = tmp_path / 'masks' / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b'not decoded')
    return tmp_path


def test_images_without_a_mask_are_refused_before_training(partly):
    with pytest.raises(
        MaskError,
        match='2 guided images .* no mask in PNGMasks '
        r"\(looked for '.*/dog/2.png' .*\), for example "
        "'images/dog/2.png', .*`missing='unguided'`",
    ):
        check(dataset_of(partly, PACK))
    check(dataset_of(partly, PACK), sources=False)


@pytest.mark.parametrize(
    'option', [dict(missing='unguided'), dict(on_error='unguided'), dict(fraction=0.0)]
)
def test_images_that_need_no_mask_are_accepted(partly, option):
    check(dataset_of(partly, PACK, **option))


def test_images_of_a_list_alone_need_a_mask(partly):
    guided = partly / 'guided.txt'
    guided.write_text('images/cat/0.png\nimages/cat/1.png\n')
    check(dataset_of(partly, PACK, image_list=str(guided)))
    guided.write_text('images/cat/0.png\nimages/dog/3.png\n')
    with pytest.raises(MaskError, match="1 guided images .* 'images/dog/3.png':"):
        check(dataset_of(partly, PACK, image_list=str(guided)))


def test_images_are_asked_for_masks_of_their_own_data_set(root, partly):
    good, declared = dataset_of(root, PACK), dataset_of(partly, PACK, fraction=0.0)
    check(ConcatDataset([good, declared]))
    with pytest.raises(MaskError, match='2 guided images'):
        check(ConcatDataset([good, dataset_of(partly, PACK)]))


def test_broken_entry_stops_the_run_of_its_image_alone(partly):
    (partly / 'boxes.csv').write_text(
        'filename,x0,y0,x1,y1\nimages/cat/0.png,0,0,2,2\nimages/cat/1.png,2,0,0,2\n'
    )
    source = dict(type='BoxMasks', ann_file='boxes.csv', data_root=str(partly))
    with pytest.raises(MaskError, match="images/cat/1.png', line 3: box .* no inside"):
        check(dataset_of(partly, PACK, source=source, missing='unguided'))
    check(dataset_of(partly, PACK, source=source, on_error='unguided'))
    guided = partly / 'guided.txt'
    guided.write_text('images/cat/0.png\n')
    check(dataset_of(partly, PACK, source=source, image_list=str(guided)))


@pytest.mark.parametrize(
    'recipe, message',
    [
        (dict(train_pipeline=[FLIP]), 'RandomFlip would move'),
        (dict(batch_augments=dict(augments=[Brighten()])), 'augment Brighten cannot'),
    ],
)
def test_recipe_of_a_later_epoch_is_checked(root, recipe, message):
    dataset = dataset_of(root, aware(FLIP), PACK)
    load = dict(
        type='LoadActivationMask',
        source=dict(
            type='PNGMasks', masks='masks', images='images', data_root=str(root)
        ),
    )
    if 'train_pipeline' in recipe:
        recipe = dict(train_pipeline=[load, *recipe['train_pipeline']])
    good = dict(action_epoch=5, batch_augments=None, train_pipeline=[load, aware(FLIP)])
    for bad, hook in (
        (False, dict(schedule=[good])),
        (True, dict(schedule=[good, dict(action_epoch=7, **recipe)])),
    ):
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            hooks = [HOOKS.build(dict(type='SwitchRecipeHook', **hook))]
        runner = runner_of(dataset, hooks=hooks)
        if not bad:
            GuidanceCheckHook().before_train(runner)
            continue
        with pytest.raises(ValueError, match=f'for epoch 7: .*{message}'):
            GuidanceCheckHook().before_train(runner)


def test_masks_of_a_later_epoch_are_checked(root, partly):
    load = dict(
        type='LoadActivationMask',
        source=dict(
            type='PNGMasks', masks='masks', images='images', data_root=str(partly)
        ),
    )
    recipe = dict(action_epoch=7, train_pipeline=[load])
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        hook = HOOKS.build(dict(type='SwitchRecipeHook', schedule=[recipe]))
    dataset = dataset_of(partly, PACK, fraction=0.0)
    with pytest.raises(ValueError, match='for epoch 7: 2 guided images .* no mask'):
        GuidanceCheckHook().before_train(runner_of(dataset, hooks=[hook]))


@pytest.mark.parametrize('split', ['val', 'test'])
def test_validation_and_test_are_checked_once(root, split):
    hook = GuidanceCheckHook()
    before = getattr(hook, f'before_{split}')
    before(runner_of(dataset_of(root, PACK), split=split))
    before(runner_of(dataset_of(root, FLIP, PACK), split=split))  # not checked again
    with pytest.raises(ValueError, match='RandomFlip'):
        getattr(GuidanceCheckHook(), f'before_{split}')(
            runner_of(dataset_of(root, FLIP, PACK), split=split)
        )


def test_hook_is_built_by_its_name_and_runs_first():
    hook = HOOKS.build(dict(type='GuidanceCheckHook', sources=False))
    assert hook.priority == 'VERY_HIGH'


def frozen_runner(root, backbone, load_from=None):
    runner = runner_of(dataset_of(root, PACK))
    runner.model.fine_tuning = FineTuning(
        nn.Sequential(nn.Conv2d(3, 2, 1), nn.Flatten(), nn.Linear(2, 2)), frozen=0.5
    )
    runner.cfg = SimpleNamespace(model=dict(type='GuidedClassifier', backbone=backbone))
    runner._load_from, runner._resume = load_from, False
    runner.logger = mock.Mock()
    return runner


def test_frozen_layers_without_weights_are_told(root):
    runner = frozen_runner(root, dict(type='ResNet', depth=18))
    GuidanceCheckHook().before_train(runner)
    (message,) = runner.logger.warning.call_args.args
    assert 'freezes 50% of the layers' in message
    assert 'the frozen layers stay random' in message


@pytest.mark.parametrize(
    'backbone, load_from',
    [
        (dict(pretrained=True), None),
        (dict(local_weights=dict(resnet18='w.pth')), None),
        (dict(init_cfg=[dict(type='Pretrained', checkpoint='w.pth')]), None),
        (dict(depth=18), 'w.pth'),
    ],
    ids=['timm', 'local', 'init_cfg', 'load_from'],
)
def test_nothing_is_told_of_frozen_layers_with_weights(root, backbone, load_from):
    runner = frozen_runner(root, backbone, load_from)
    GuidanceCheckHook().before_train(runner)
    runner.logger.warning.assert_not_called()


def validated(dataset, **options):
    """A run that validates ``dataset`` with BackgroundSwapMetric."""
    runner = runner_of(dataset)
    runner.val_loop = SimpleNamespace(
        dataloader=SimpleNamespace(dataset=dataset),
        evaluator=SimpleNamespace(metrics=[BackgroundSwapMetric(**options)]),
    )
    return runner


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(load=False), 'no image has a mask'),
        (dict(fraction=0.0), 'no image has a mask'),
        (dict(masks='dogs', missing='unguided'), r"'other_class'.* labels \[\[1\]\]"),
    ],
)
def test_validation_images_lack_the_masks_of_their_metric(root, options, message):
    for name in ('2', '3'):
        file = root / 'dogs' / 'dog' / f'{name}.png'
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new('L', (16, 12), 255).save(file)
    dataset = dataset_of(root, PACK, **options)
    with pytest.raises(ValueError, match=message):
        GuidanceCheckHook().before_train(validated(dataset, conditions=['other_class']))
    GuidanceCheckHook().before_train(validated(dataset))  # nothing was asked for


@pytest.mark.parametrize(
    ('load', 'options', 'message'),
    [
        (False, {}, 'no image has a mask'),
        (True, dict(conditions=['same_class']), "needs the condition 'other_class'"),
    ],
)
@pytest.mark.parametrize('as_list', [False, True])
def test_a_choice_by_harmonic_accuracy_needs_other_backgrounds(
    root, load, options, message, as_list
):
    best = 'swap/harmonic_accuracy'
    runner = validated(dataset_of(root, PACK, load=load), **options)
    runner.hooks = [CheckpointHook(save_best=[best] if as_list else best)]
    with pytest.raises(ValueError, match=message):
        GuidanceCheckHook().before_train(runner)


def test_validation_images_have_the_masks_of_their_metric(root):
    every = dict(conditions=['other_class', 'same_class', 'no_object'])
    dataset = dataset_of(root, PACK)
    GuidanceCheckHook().before_train(validated(dataset, **every))
    GuidanceCheckHook().before_train(validated(RepeatDataset(dataset, 2), **every))
    joined = ConcatDataset([dataset, dataset_of(root, PACK, load=False)])
    GuidanceCheckHook().before_train(validated(joined, **every))
