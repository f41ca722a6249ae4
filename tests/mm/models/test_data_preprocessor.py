"""Masks move, pad and mix as their images do."""

import numpy as np
import pytest
import torch
from mmpretrain.models import RandomBatchAugment
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

import cfcn_plugin.mm  # noqa: F401


def build(**kwargs):
    return MODELS.build(dict(type='GuidedDataPreprocessor', num_classes=3, **kwargs))


def sample(label=0, mask=None, classes=None, ignore=None, cropped_out=False):
    data_sample = DataSample().set_gt_label(label)
    fields = dict(
        guided=mask is not None,
        cropped_out=cropped_out,
        activation_mask=mask,
        mask_classes=classes,
        ignore_mask=ignore,
    )
    for name, value in fields.items():
        if value is not None:
            data_sample.set_field(value, name)
    return data_sample


def half(height=8, width=8):
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 2] = 1
    return mask


def image(mask):
    """An image whose first channel is its mask."""
    return torch.from_numpy(np.stack([mask * 255, mask * 0, mask * 0]))


def test_stock_output_is_unchanged():
    data = dict(inputs=[image(half())] * 2, data_samples=[sample(1), sample(2)])
    stock = MODELS.build(dict(type='ClsDataPreprocessor', num_classes=3))
    ours, theirs = build()(data), stock(data)
    torch.testing.assert_close(ours['inputs'], theirs['inputs'])
    assert [int(s.gt_label) for s in ours['data_samples']] == [1, 2]


def test_masks_are_stacked_and_leave_the_samples():
    out = build()(
        dict(inputs=[image(half())] * 2, data_samples=[sample(0, half()), sample(1)])
    )
    masks = out['masks']
    assert masks.mask.shape == (2, 1, 8, 8) and masks.mask.dtype == torch.uint8
    assert masks.guided.tolist() == [True, False]
    assert (masks.mask[0, 0].numpy() == half()).all()
    assert masks.classes is None
    assert 'activation_mask' not in out['data_samples'][0]


def test_no_mask_pipeline_gives_no_masks():
    data = dict(inputs=[image(half())], data_samples=[DataSample().set_gt_label(0)])
    assert build()(data)['masks'] is None
    assert build()(dict(inputs=[image(half())]))['masks'] is None


@pytest.mark.parametrize('first', [0, 1])
def test_batch_of_two_kinds_of_pipelines_is_refused_by_the_name_of_an_image(first):
    stock = DataSample(metainfo=dict(img_path='stock.jpg')).set_gt_label(0)
    samples = [sample(0, half()), stock]
    with pytest.raises(ValueError, match="image 'stock.jpg' was packed without `guid"):
        build()(
            dict(
                inputs=[image(half())] * 2,
                data_samples=[samples[first], samples[1 - first]],
            )
        )


def test_mask_of_a_class_that_the_model_has_not_is_named():
    strange = sample(0, half()[None], classes=np.array([3]))
    strange.set_metainfo(dict(img_path='strange.jpg'))
    with pytest.raises(ValueError, match="image 'strange.jpg' has a mask of class 3"):
        build()(dict(inputs=[image(half())], data_samples=[strange]))


def test_ignored_pixels_are_neither_cause_nor_context():
    ignore = np.zeros((8, 8), np.uint8)
    ignore[0] = 1
    masks = build()(
        dict(inputs=[image(half())], data_samples=[sample(0, half(), ignore=ignore)])
    )['masks']
    assert masks.ignore[0, 0].all() and not masks.ignore[0, 1:].any()
    assert masks.mask[0, 0, 0].sum() == 0


def test_masks_are_padded_with_context():
    out = build(pad_size_divisor=16)(
        dict(
            inputs=[image(half(8, 8)), image(half(12, 6))],
            data_samples=[sample(0, half(8, 8)), sample(0, half(12, 6))],
        )
    )
    assert out['inputs'].shape[-2:] == out['masks'].mask.shape[-2:] == (16, 16)
    assert out['masks'].mask[0].sum() == 32 and out['masks'].mask[1].sum() == 36
    assert not out['masks'].ignore.any()


def test_masks_of_classes_are_padded_with_none():
    two = np.stack([half(), 1 - half()])
    masks = build()(
        dict(
            inputs=[image(half())] * 2,
            data_samples=[
                sample(0, two, np.array([2, 0])),
                sample(0, half()[None], np.array([1])),
            ],
        )
    )['masks']
    assert masks.mask.shape == (2, 2, 8, 8)
    assert masks.classes.tolist() == [[2, 0], [1, -1]]


def test_a_batch_without_guided_images_has_masks_of_no_class():
    masks = build()(
        dict(inputs=[image(half())] * 2, data_samples=[sample(0), sample(1)])
    )['masks']
    assert masks.classes.tolist() == [[-1], [-1]]


def test_emptied_draws_are_counted():
    masks = build()(
        dict(
            inputs=[image(half())] * 2,
            data_samples=[sample(0, half()), sample(0, cropped_out=True)],
        )
    )['masks']
    assert masks.cropped_out == 0.5


@pytest.mark.parametrize(
    'augments', [None, dict(augments=dict(type='Mixup', alpha=1.0))]
)
def test_masks_that_could_not_be_used_are_counted(augments):
    samples = [sample(0, half()), sample(0), sample(0), sample(0)]
    for one, failed in zip(samples, (False, True, False, False)):
        one.set_field(failed, 'mask_error')
    build_one = build(batch_augments=augments)
    data = dict(inputs=[image(half())] * 4, data_samples=samples)
    assert build_one(data, training=True)['masks'].mask_error == 0.25


def test_fraction_of_mask_errors_is_none_where_they_end_the_run():
    masks = build()(dict(inputs=[image(half())], data_samples=[sample(0, half())]))[
        'masks'
    ]
    assert masks.mask_error is None


@pytest.mark.parametrize(
    'augment',
    [
        dict(type='Mixup', alpha=1.0),
        dict(type='CutMix', alpha=1.0),
        dict(type='ResizeMix', alpha=1.0, interpolation='bilinear'),
    ],
)
def test_a_mask_is_mixed_as_its_image(augment):
    preprocess = build(batch_augments=dict(augments=[augment]))
    rng = np.random.default_rng(0)
    arrays = [(rng.random((16, 16)) > 0.5).astype(np.uint8) for _ in range(4)]
    out = preprocess(
        dict(
            inputs=[image(m) for m in arrays],
            data_samples=[sample(0, m) for m in arrays],
        ),
        training=True,
    )
    # the first channel went through the augment as the mask did
    torch.testing.assert_close(out['masks'].mask[:, 0], out['inputs'][:, 0] / 255)
    assert out['inputs'].shape[1] == 3
    assert out['masks'].guided.all()


def test_unguided_part_of_a_mixed_image_is_ignored():
    preprocess = build(batch_augments=dict(augments=[dict(type='Mixup', alpha=1.0)]))
    arrays = [half(), half()]
    for seed in range(20):  # until the two are mixed with each other
        torch.manual_seed(seed)
        np.random.seed(seed)
        masks = preprocess(
            dict(
                inputs=[image(m) for m in arrays],
                data_samples=[sample(0, half()), sample(1)],
            ),
            training=True,
        )['masks']
        if masks.guided.all():
            break
    assert masks.guided.all()
    # what is known of the mixture is the guided one's mask
    torch.testing.assert_close(masks.mask[0, 0], torch.from_numpy(half()).float())
    torch.testing.assert_close(masks.mask[1, 0], torch.from_numpy(half()).float())
    torch.testing.assert_close(masks.ignore[0] + masks.ignore[1], torch.ones(8, 8))


def test_batch_augments_draw_as_in_the_stock_preprocessor():
    augments = dict(augments=[dict(type='CutMix', alpha=1.0)])
    stock = MODELS.build(
        dict(type='ClsDataPreprocessor', num_classes=3, batch_augments=augments)
    )
    results = []
    for preprocess in (build(batch_augments=augments), stock):
        torch.manual_seed(3)
        np.random.seed(3)
        data = dict(
            inputs=[image(half()), image(1 - half())],
            data_samples=[sample(0, half()), sample(1)],
        )
        out = preprocess(data, training=True)
        results.append(
            (out['inputs'], torch.stack([s.gt_score for s in out['data_samples']]))
        )
    torch.testing.assert_close(*(r[0] for r in results))
    torch.testing.assert_close(*(r[1] for r in results))


def test_an_augment_that_cannot_take_masks_along_is_refused_when_built():
    with pytest.raises(ValueError, match='the batch augment Brighten cannot'):
        build(batch_augments=dict(augments=[Brighten()]))


def test_an_augment_of_a_later_epoch_takes_masks_along():
    preprocess = build(to_onehot=True)
    preprocess.batch_augments = RandomBatchAugment(dict(type='CutMix', alpha=1.0))
    masks = preprocess(
        dict(
            inputs=[image(half())] * 2,
            data_samples=[sample(0, half()), sample(1, half())],
        ),
        training=True,
    )['masks']
    assert len(masks.components) == 2
    with pytest.raises(ValueError, match='the batch augment Brighten cannot'):
        preprocess.batch_augments = RandomBatchAugment(Brighten())
    preprocess.batch_augments = None
    assert preprocess.batch_augments is None


class Brighten:
    def __call__(self, inputs, scores):
        return 1.2 * inputs, scores
