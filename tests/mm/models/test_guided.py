"""A guided model is the stock model, and its loss is the stock loss plus guidance."""

import copy
import pickle

import numpy as np
import pytest
import torch
from batches import focus_of
from mmengine.optim import OptimWrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from cfcn_plugin.functional import causal_focus_loss
from cfcn_plugin.guidance import Guidance

HEAD = dict(type='LinearClsHead', num_classes=3, in_channels=512)
CLASSIFIER = dict(
    type='GuidedClassifier',
    backbone=dict(type='ResNet', depth=18),
    neck=dict(type='GlobalAveragePooling'),
    head=HEAD,
    guidance=dict(type='CausalFocusLoss', loss_weight=2.0),
)
TIMM = dict(
    type='GuidedTimmClassifier',
    model_name='resnet10t',
    num_classes=3,
    guidance=dict(type='CausalFocusLoss'),
)


def build(cfg=CLASSIFIER, **changes):
    torch.manual_seed(0)
    return MODELS.build({**copy.deepcopy(cfg), **changes})


def batch(guided=(True, True, False), size=64):
    generator = torch.Generator().manual_seed(1)
    samples = []
    for index, is_guided in enumerate(guided):
        mask = np.zeros((size, size), np.uint8)
        mask[: size // 2, index * 8 :] = 1
        sample = DataSample().set_gt_label(index % 3)
        sample.set_field(is_guided, 'guided')
        sample.set_field(False, 'cropped_out')
        if is_guided:
            sample.set_field(mask, 'activation_mask')
        samples.append(sample)
    inputs = torch.rand(len(guided), 3, size, size, generator=generator)
    return dict(inputs=list(inputs), data_samples=samples)


def losses_of(model, data=None):
    data = model.data_preprocessor(data or batch(), training=True)
    return model(**data, mode='loss'), data


@pytest.mark.parametrize(
    'cfg,stock', [(CLASSIFIER, 'ImageClassifier'), (TIMM, 'TimmClassifier')]
)
def test_state_dict_has_the_stock_model_s_keys(cfg, stock):
    plain = {k: v for k, v in cfg.items() if k != 'guidance'}
    theirs = build({**plain, 'type': stock}).state_dict()
    ours = build(cfg).state_dict()
    assert list(ours) == list(theirs)


@pytest.mark.parametrize('cfg', [CLASSIFIER, TIMM])
def test_loss_is_the_stock_loss_and_alpha_times_the_equation(cfg):
    model = build(cfg).eval()
    losses, data = losses_of(model)
    inner = getattr(model, 'backbone', getattr(model, 'model', None))
    with torch.no_grad():
        activation = (
            inner(data['inputs'])[-1]
            if cfg is CLASSIFIER
            else inner.forward_features(data['inputs'])
        )
    masks = data['masks']
    expected = causal_focus_loss(
        activation, masks.mask, guided=masks.guided, ignore=masks.ignore
    )
    alpha = cfg['guidance'].get('loss_weight', 1.0)
    torch.testing.assert_close(losses['loss_focus'], alpha * expected)
    torch.testing.assert_close(losses['focus'], 1 - expected * 3 / 2)
    torch.testing.assert_close(losses['total'], losses['loss'] + losses['loss_focus'])
    torch.testing.assert_close(losses['guided_fraction'], torch.tensor(2 / 3))
    parsed, log = model.parse_losses(losses)
    torch.testing.assert_close(parsed, losses['total'])
    assert log['focus'].requires_grad is False


def test_fraction_of_mask_errors_is_logged_where_they_do_not_end_the_run():
    data = batch()
    for sample, failed in zip(data['data_samples'], (False, False, True)):
        sample.set_field(failed, 'mask_error')
    losses, _ = losses_of(build(), data)
    total, log = build().parse_losses(losses)
    torch.testing.assert_close(log['mask_error_fraction'], torch.tensor(1 / 3))
    torch.testing.assert_close(total, losses['total'])
    assert 'mask_error_fraction' not in losses_of(build())[0]


def test_guidance_trains_the_backbone():
    model = build()
    losses, _ = losses_of(model)
    losses['loss_focus'].backward()
    assert model.backbone.layer4[-1].conv2.weight.grad.abs().sum() > 0
    assert model.head.fc.weight.grad is None


def test_an_unguided_batch_trains_as_the_baseline():
    guided, plain = build(), build(guidance=None)
    gradients = []
    for model in (guided, plain):
        losses, _ = losses_of(model, batch((False, False)))
        model.parse_losses(losses)[0].backward()
        gradients.append(model.backbone.conv1.weight.grad)
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


def test_the_baseline_has_the_stock_loss_alone():
    losses, _ = losses_of(build(guidance=None))
    assert set(losses) == {'loss'}


def test_train_step_raises_the_focus():
    model = build(guidance=dict(type='CausalFocusLoss', loss_weight=10.0))
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.02))
    first = model.train_step(batch(), optimizer)['focus'].item()
    for _ in range(8):
        last = model.train_step(batch(), optimizer)['focus'].item()
    assert last > first


@pytest.mark.parametrize('augment', ['Mixup', 'CutMix', 'ResizeMix'])
def test_mixed_images_train_the_maps_of_both_labels(augment):
    model = build(
        neck=None,
        head=dict(type='CausalFocusHead', num_classes=3),
        guidance=dict(type='CausalFocusLoss', channels='target'),
        data_preprocessor=dict(num_classes=3),
        train_cfg=dict(augments=dict(type=augment, alpha=1.0)),
    )
    losses, data = losses_of(model, batch((True, True, False)))
    assert len(data['masks'].components) == 2
    assert 0 < losses['focus'] < 1
    losses['loss_focus'].backward()
    assert model.backbone.conv1.weight.grad.isfinite().all()


def test_a_step_with_other_backgrounds_trains():
    model = build(
        data_preprocessor=dict(num_classes=3),
        train_cfg=dict(augments=[dict(type='BackgroundSwap', prob=1.0)]),
    )
    plain = build(data_preprocessor=dict(num_classes=3))
    data = model.data_preprocessor(batch(), training=True)
    stock = plain.data_preprocessor(batch(), training=True)
    assert torch.equal(data['masks'].mask, stock['masks'].mask)
    changed = (data['inputs'] != stock['inputs']).flatten(1).any(1)
    assert changed.tolist() == [True, True, False]  # the last one is unguided
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01))
    assert model.train_step(batch(), optimizer)['loss_focus'].isfinite()


def test_a_mask_a_class_needs_no_guided_image_in_a_batch():
    model = build(
        dict(
            type='GuidedClassifier',
            backbone=dict(type='CFCNNet', filters=[4], strides=4),
            head=dict(type='CausalFocusHead', num_classes=3, multi_label=True),
            guidance=dict(type='CausalFocusLoss', channels='per_class'),
        )
    )
    losses, _ = losses_of(model, batch(guided=(False, False)))
    assert losses['loss_focus'] == 0 and losses['guided_fraction'] == 0
    model.eval()
    assert len(model.test_step(batch(guided=(False, False)))) == 2


def test_predictions_come_with_the_maps_and_masks_of_the_same_pass():
    model = build().eval()
    data = model.data_preprocessor(batch())
    with torch.no_grad():
        predictions, step = model.predict_with_maps(**data)
        (activation,) = model.backbone(data['inputs'])
    torch.testing.assert_close(step.maps[0], activation)
    torch.testing.assert_close(
        step.logits.softmax(1), torch.stack([p.pred_score for p in predictions])
    )
    assert step.masks is data['masks'] and step.target.tolist() == [0, 1, 2]


def test_a_prediction_carries_neither_focus_nor_mask():
    for sample in build().eval().test_step(batch()):
        assert 'focus' not in sample and 'activation_mask' not in sample


def test_predict_without_masks_is_the_stock_prediction():
    model = build().eval()
    stock = MODELS.build(
        {
            **{k: v for k, v in CLASSIFIER.items() if k != 'guidance'},
            'type': 'ImageClassifier',
        }
    ).eval()
    stock.load_state_dict(model.state_dict())
    data = dict(inputs=batch()['inputs'])
    for ours, theirs in zip(model.test_step(data), stock.test_step(data)):
        torch.testing.assert_close(ours.pred_score, theirs.pred_score)
        assert ours.keys() == theirs.keys()


def test_maps_of_a_causal_focus_head_are_its_convolution_s():
    model = build(
        neck=None,
        head=dict(type='CausalFocusHead', num_classes=3),
        guidance=dict(type='CausalFocusLoss', channels='target'),
    ).eval()
    losses, data = losses_of(model)
    with torch.no_grad():
        activation = model.head.conv(model.backbone(data['inputs'])[-1])
    masks = data['masks']
    expected = causal_focus_loss(
        activation, masks.mask, guided=masks.guided, target=torch.tensor([0, 1, 2])
    )
    torch.testing.assert_close(losses['loss_focus'], expected)
    assert model.maps_are_classes


def test_a_hook_is_one_without_its_type():
    model = build(feature_hook=dict(target='backbone'))
    assert model.feature_hook.names == ['backbone']


def test_earlier_and_several_maps_can_be_guided():
    model = build(
        feature_hook=dict(
            type='FeatureHook', target=['backbone.layer3', 'backbone.layer4']
        )
    ).eval()
    losses, _data = losses_of(model)
    single = []
    for name in ('layer3', 'layer4'):
        one = build(
            feature_hook=dict(type='FeatureHook', target=f'backbone.{name}')
        ).eval()
        single.append(losses_of(one)[0]['focus'])
    torch.testing.assert_close(losses['focus'], sum(single) / 2)


def test_a_map_that_the_block_adds_to_in_place_is_that_of_its_module():
    model = build(feature_hook=dict(target='backbone.layer4.1.bn2'))
    outputs = []
    model.backbone.layer4[1].bn2.register_forward_hook(
        lambda module, args, output: outputs.append(output.clone())
    )
    for _ in range(2):  # a copy is made in the first step, whatever the network does
        losses, data = losses_of(model)
        masks = data['masks']
        torch.testing.assert_close(
            losses['loss_focus'],
            2 * causal_focus_loss(outputs.pop(), masks.mask, guided=masks.guided),
        )
    losses['loss_focus'].backward()
    assert model.backbone.layer4[1].conv2.weight.grad.abs().sum() > 0


def test_scores_that_the_head_changes_in_place_are_those_that_it_gave():
    model = build(guidance=Recorder())
    expected = []

    def head_loss(feats, data_samples, **kwargs):
        scores = model.head(feats)
        expected.append(scores.detach().clone())
        return dict(loss=scores.mul_(0).sum())

    model.head.loss = head_loss
    losses_of(model)
    torch.testing.assert_close(model.guidance.seen.logits, expected[0])


class Recorder(Guidance):
    """Keeps what it sees, and asks the network about other images."""

    needs_input_grad = True

    def forward(self, seen):
        self.seen = seen
        self.other = seen.model.classify(torch.zeros_like(seen.images))
        return dict(loss_recorder=seen.logits.sum() * 0)


def test_what_guidance_sees():
    model = build(guidance=Recorder())
    statistics = copy.deepcopy(model.backbone.bn1.running_mean)
    _losses, _data = losses_of(model)
    after_one = model.backbone.bn1.running_mean.clone()
    seen = model.guidance.seen
    assert seen.logits.shape == (3, 3) and seen.logits.requires_grad
    assert seen.images.requires_grad
    assert seen.target.tolist() == [0, 1, 2]
    assert seen.masks.guided.tolist() == [True, True, False]
    assert model.guidance.other.shape == (3, 3)
    assert not torch.equal(statistics, after_one)  # the one real pass moved them
    plain = build(guidance=None)
    losses_of(plain)
    torch.testing.assert_close(after_one, plain.backbone.bn1.running_mean)
    assert model.backbone.bn1.track_running_stats
    assert not any(c.armed for c in model.feature_hook.captures)


def test_nothing_is_kept_after_a_step_also_after_an_exception():
    model = build()
    losses_of(model)
    assert all(c.raw is None for c in model.feature_hook.captures)
    model.head.loss = lambda *a, **k: 1 / 0
    with pytest.raises(ZeroDivisionError):
        losses_of(model)
    assert all(c.raw is None and not c.armed for c in model.feature_hook.captures)
    assert model._scores.raw is None


@pytest.mark.parametrize(
    'clone',
    [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))],
    ids=['deepcopy', 'pickle'],
)
def test_a_copy_has_a_hook_of_its_own(clone):
    model = build().eval()
    losses_of(model)
    baseline = clone(model)
    with torch.no_grad():
        model.backbone.layer4[-1].bn2.bias.add_(5)
    torch.testing.assert_close(
        losses_of(baseline)[0]['focus'], losses_of(build().eval())[0]['focus']
    )


def test_mixed_labels_are_scores_for_guidance():
    model = build(
        guidance=Recorder(),
        data_preprocessor=dict(num_classes=3),
        train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]),
    )
    losses_of(model)
    assert model.guidance.seen.target.shape == (3, 3)
    assert model.guidance.seen.masks.mask.is_floating_point()


def test_several_labels_are_scores_for_guidance():
    model = build(
        head=dict(type='MultiLabelLinearClsHead', num_classes=3, in_channels=512),
        guidance=Recorder(),
    )
    data = batch()
    data['data_samples'][0].set_gt_label([0, 2])
    losses_of(model, data)
    assert model.guidance.seen.target.tolist()[0] == [1, 0, 1]


# ---- bad input -------------------------------------------------------------


def test_the_stock_preprocessor_is_refused():
    with pytest.raises(ValueError, match='ClsDataPreprocessor.*GuidedDataPreprocessor'):
        build(data_preprocessor=dict(type='ClsDataPreprocessor'))


def test_a_timm_model_without_classifier_names_the_remedy():
    with pytest.raises(ValueError, match='no classifier.*GuidedTIMMBackbone'):
        build(TIMM, num_classes=0)


def test_a_pipeline_without_masks_is_refused_in_training():
    data = dict(
        inputs=batch()['inputs'],
        data_samples=[DataSample().set_gt_label(0) for _ in range(3)],
    )
    with pytest.raises(ValueError, match='LoadActivationMask.*PackGuidedInputs'):
        losses_of(build(), data)


def test_a_target_that_does_not_exist_lists_what_does():
    with pytest.raises(ValueError, match=r"'backbone.layer9'.*backbone.layer4"):
        build(feature_hook=dict(type='FeatureHook', target='backbone.layer9'))


def test_reentrant_checkpointing_of_the_target_is_refused():
    model = build(
        backbone=dict(type='ResNet', depth=18, with_cp=True),
        feature_hook=dict(type='FeatureHook', target='backbone.layer4.1.conv1'),
    )
    with pytest.raises(RuntimeError, match='layer4.1.conv1.*with_cp'):
        losses_of(model)


def test_a_frozen_backbone_is_no_error():
    model = build(backbone=dict(type='ResNet', depth=18, frozen_stages=4))
    assert losses_of(model)[0]['loss_focus'] > 0


def test_guidance_with_parameters_is_refused():

    class Learned(Guidance):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(1))

    with pytest.raises(ValueError, match='parameters of its own'):
        build(guidance=Learned())


def test_a_retriever_is_guided():
    model = MODELS.build(
        dict(
            type='GuidedRetriever',
            image_encoder=[
                dict(type='ResNet', depth=18),
                dict(type='GlobalAveragePooling'),
            ],
            head=dict(type='ArcFaceClsHead', num_classes=3, in_channels=512),
            prototype=torch.rand(3, 512),
            guidance=dict(type='CausalFocusLoss'),
        )
    )
    losses, _ = losses_of(model)
    losses['loss_focus'].backward()
    assert model.image_encoder[0].layer4[-1].conv2.weight.grad.abs().sum() > 0
    # a query's label names images of the gallery, which may be many more
    queries = batch()
    for sample in queries['data_samples']:
        sample.set_gt_label([71, 90])
    assert 0 < focus_of(model, copy.deepcopy(queries))[0]['ratio'] < 1
    assert len(model.test_step(queries)[0].pred_score) == 3
