"""Logistic regression: optimality, balance, and the form of the penalty."""

import pytest
import torch
import torch.nn.functional as F

from cfcn_plugin.repair import logistic
from cfcn_plugin.repair.logistic import balanced_weights, fit_logistic, weighted_loss


def data(count=60, features=5, classes=3):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(count, features, generator=generator)
    inputs = inputs * torch.tensor([1.0, 10, 0.1, 1, 5])
    inputs = inputs + torch.tensor([0.0, 3, 9, -2, 1])
    signal = inputs[:, 0] + torch.randn(count, generator=generator)
    labels = signal.argsort().argsort()
    return inputs, F.one_hot(labels * classes // count, classes).float()


def fits(features, targets, weights, strengths, bias=True):
    """One fit of one view of each image, for each strength."""
    return [
        fitted
        for (fitted,) in fit_logistic(
            features[:, None], targets, weights[None], strengths, bias
        )
    ]


@pytest.mark.parametrize('several', [False, True])
@pytest.mark.parametrize('bias', [False, True])
@pytest.mark.parametrize('strength', [0.5, 20.0])
def test_the_gradient_of_the_objective_is_zero(several, bias, strength):
    features, targets = data()
    weights = balanced_weights(targets, several)
    (fitted,) = fits(features, targets, weights, [strength], bias)
    scale = features.double().std(0, correction=0)
    weight = (fitted.weight.double() * scale).requires_grad_()
    offset = None
    if bias:
        offset = fitted.bias + fitted.weight @ features.mean(0)
        offset = offset.double().requires_grad_()
    inputs = (features.double() - (features.double().mean(0) if bias else 0)) / scale
    loss = weighted_loss(
        F.linear(inputs, weight, offset), targets.double(), weights.double()
    )
    loss = loss + weight.square().sum() / (2 * strength)
    gradients = torch.autograd.grad(loss, [weight, offset] if bias else [weight])
    # feature 2, not centred, has a curvature of 8000: 1e-2 is a loss of 1e-8
    assert max(gradient.abs().max() for gradient in gradients) < (
        1e-3 if bias else 1e-2
    )


def test_a_later_strength_is_fitted_as_if_alone():
    features, targets = data()
    weights = balanced_weights(targets, False)
    *_, path = fits(features, targets, weights, [0.1, 1.0, 10.0])
    (alone,) = fits(features, targets, weights, [10.0])
    torch.testing.assert_close(path.weight, alone.weight, atol=1e-3, rtol=1e-3)


def test_the_larger_the_strength_the_larger_the_weights():
    features, targets = data()
    norms = [
        fitted.weight[:, 0].norm()
        for fitted in fits(
            features, targets, balanced_weights(targets, False), [0.1, 1.0, 10.0]
        )
    ]
    assert norms == sorted(norms)


def test_a_constant_feature_gets_no_weight():
    features, targets = data()
    features[:, 3] = 7
    (fitted,) = fits(features, targets, balanced_weights(targets, False), [1.0])
    assert fitted.weight[:, 3].abs().max() < 1e-6
    assert fitted(features).isfinite().all()


def test_each_class_weighs_the_same():
    targets = torch.tensor([[1.0, 0], [1, 0], [1, 0], [0, 1]])
    torch.testing.assert_close(
        balanced_weights(targets, False), torch.tensor([1 / 6, 1 / 6, 1 / 6, 1 / 2])
    )


def test_presence_and_absence_of_each_class_weigh_the_same():
    targets = torch.tensor([[1.0, 1], [1, 0], [1, 0], [0, 0]])
    torch.testing.assert_close(
        balanced_weights(targets, True),
        torch.tensor([[1 / 6, 1 / 2], [1 / 6, 1 / 6], [1 / 6, 1 / 6], [1 / 2, 1 / 6]]),
    )


def test_fits_together_are_as_each_alone_without_its_images():
    features, targets = data()
    folds = torch.arange(60) % 3
    rows = []
    for fold in range(3):
        weights = torch.zeros(60)
        weights[folds != fold] = balanced_weights(targets[folds != fold], False)
        rows.append(weights)
    (together,) = fit_logistic(features[:, None], targets, torch.stack(rows), [3.0])
    for weights, fitted in zip(rows, together):
        (alone,) = fits(features, targets, weights, [3.0])
        torch.testing.assert_close(
            fitted(features), alone(features), atol=1e-3, rtol=1e-3
        )  # two ways of L-BFGS


def test_views_of_an_image_share_its_weight_and_target():
    features, targets = data()
    weights = balanced_weights(targets[::2], False)
    (views,) = fit_logistic(
        features.view(30, 2, -1), targets[::2], weights[None], [3.0]
    )
    (alone,) = fits(
        features,
        targets[::2].repeat_interleave(2, 0),
        weights.repeat_interleave(2),
        [3.0],
    )
    torch.testing.assert_close(views[0].weight, alone.weight, atol=1e-4, rtol=1e-4)


def test_blocks_of_images_change_nothing(monkeypatch):
    features, targets = data()
    weights = balanced_weights(targets, False)
    (whole,) = fits(features, targets, weights, [3.0])
    monkeypatch.setattr(logistic, 'BLOCK', 21)
    (blocks,) = fits(features, targets, weights, [3.0])
    torch.testing.assert_close(blocks.weight, whole.weight, atol=1e-4, rtol=1e-4)


def test_scikit_learn_finds_the_same():
    linear_model = pytest.importorskip('sklearn.linear_model')
    features, targets = data()
    weights = balanced_weights(targets, False)
    (fitted,) = fits(features, targets, weights, [3.0])
    centred = (features - features.mean(0)) / features.std(0, correction=0)
    theirs = linear_model.LogisticRegression(C=3, tol=1e-8, max_iter=1000).fit(
        centred, targets.argmax(1), sample_weight=weights
    )
    logits = torch.from_numpy(theirs.decision_function(centred)).float()
    torch.testing.assert_close(
        fitted(features).log_softmax(1), logits.log_softmax(1), atol=1e-3, rtol=1e-3
    )
