"""CFCN-C and CFCN-F as the paper's appendix C describes them."""

import pytest
import torch
from mmpretrain.structures import DataSample

from cfcn_plugin.mm.models import CausalFocusHead


def test_class_mode_is_pooled_rectified_convolution():
    head = CausalFocusHead(3, in_channels=4)
    x = torch.randn(2, 4, 5, 6)
    torch.testing.assert_close(head((x,)), head.conv(x).relu().mean((2, 3)))
    assert head.conv.weight.shape == (3, 4, 1, 1) and head.maps_are_classes


def test_logit_scale_multiplies_the_class_scores_and_no_map():
    scaled, paper = (
        CausalFocusHead(3, in_channels=4, logit_scale=scale) for scale in (10.0, 1.0)
    )
    scaled.load_state_dict(paper.state_dict())
    x = torch.randn(2, 4, 5, 6)
    torch.testing.assert_close(scaled((x,)), 10 * paper((x,)))
    torch.testing.assert_close(scaled.conv(x), paper.conv(x))


def test_feature_mode_is_flattened_maps_and_a_linear_layer():
    head = CausalFocusHead(3, in_channels=4, mode='feature', input_size=(5, 6))
    x = torch.randn(2, 4, 5, 6)
    expected = head.fc(head.conv(x).relu().reshape(2, -1))
    torch.testing.assert_close(head((x,)), expected)
    assert head.conv.out_channels == 16 and not head.maps_are_classes


def test_multi_label_logits_can_be_negative_by_default_and_not_literally():
    torch.manual_seed(0)
    x = torch.randn(8, 4, 5, 5)
    free = CausalFocusHead(3, in_channels=4, multi_label=True)
    literal = CausalFocusHead(3, in_channels=4, multi_label=True, relu_logits=True)
    literal.load_state_dict(free.state_dict())
    assert free((x,)).min() < 0 and literal((x,)).min() >= 0


def test_multi_label_predicts_by_threshold():
    head = CausalFocusHead(3, in_channels=4, multi_label=True)
    (sample,) = head.predict((torch.randn(1, 4, 5, 5),), [DataSample()])
    chosen = (sample.pred_score >= 0.5).nonzero().flatten()
    assert sample.pred_label.tolist() == chosen.tolist()


@pytest.mark.parametrize('multi_label,labels', [(False, [1]), (True, [0, 2])])
def test_loss_is_cross_entropy(multi_label, labels):
    head = CausalFocusHead(3, in_channels=4, multi_label=multi_label)
    x = torch.randn(1, 4, 5, 5)
    loss = head.loss((x,), [DataSample().set_gt_label(labels)])['loss']
    logits = head((x,))
    if multi_label:
        expected = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, torch.tensor([[1.0, 0.0, 1.0]]), reduction='sum'
        )
    else:
        expected = torch.nn.functional.cross_entropy(logits, torch.tensor(labels))
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize(
    'wrong,message',
    [
        (dict(mode='maps'), "`mode`.*'maps'"),
        (dict(num_classes=0), '`num_classes`.*0'),
        (dict(in_channels=None), '`in_channels`.*GuidedClassifier'),
        (dict(mode='feature'), '`input_size`'),
        (dict(mode='feature', input_size=5, logit_scale=2.0), "for mode='class'"),
        (dict(logit_scale=0), '`logit_scale` must be > 0, got 0'),
    ],
)
def test_wrong_options_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        CausalFocusHead(**{**dict(num_classes=3, in_channels=4), **wrong})


@pytest.mark.parametrize(
    'shape,message',
    [
        ((2, 4), r'got \(2, 4\).*\(B, 4, h, w\).*neck'),
        ((2, 7, 5, 5), r'got \(2, 7, 5, 5\)'),
    ],
)
def test_wrong_maps_are_named(shape, message):
    with pytest.raises(ValueError, match=message):
        CausalFocusHead(3, in_channels=4)((torch.rand(shape),))


def test_map_of_another_size_is_named_in_feature_mode():
    head = CausalFocusHead(3, in_channels=4, mode='feature', input_size=5)
    with pytest.raises(ValueError, match=r'input_size=\(5, 5\).*\(6, 6\)'):
        head((torch.rand(1, 4, 6, 6),))
