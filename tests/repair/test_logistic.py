"""Logistic regression: optimality, balance, and the form of the penalty."""
import pytest
import torch
import torch.nn.functional as F

from cfcn_plugin.repair.logistic import balanced_weights, fit_logistic, weighted_loss


def data(count=60, features=5, classes=3):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(count, features, generator=generator)
    inputs = inputs * torch.tensor([1., 10, 0.1, 1, 5])
    inputs = inputs + torch.tensor([0., 3, 9, -2, 1])
    signal = inputs[:, 0] + torch.randn(count, generator=generator)
    labels = signal.argsort().argsort()
    return inputs, F.one_hot(labels * classes // count, classes).float()


@pytest.mark.parametrize('several', [False, True])
@pytest.mark.parametrize('bias', [False, True])
@pytest.mark.parametrize('strength', [0.5, 20.])
def test_the_gradient_of_the_objective_is_zero(several, bias, strength):
    features, targets = data()
    weights = balanced_weights(targets, several)
    fitted, = fit_logistic(features, targets, weights, [strength], bias)
    scale = features.double().std(0, correction=0)
    weight = (fitted.weight.double() * scale).requires_grad_()
    offset = None
    if bias:
        offset = fitted.bias + fitted.weight @ features.mean(0)
        offset = offset.double().requires_grad_()
    inputs = (features.double() - (features.double().mean(0) if bias else 0)) / scale
    loss = weighted_loss(F.linear(inputs, weight, offset), targets.double(),
                         weights.double())
    loss = loss + weight.square().sum() / (2 * strength)
    gradients = torch.autograd.grad(loss, [weight, offset] if bias else [weight])
    assert max(gradient.abs().max() for gradient in gradients) < 1e-3


def test_a_later_strength_is_fitted_as_if_alone():
    features, targets = data()
    weights = balanced_weights(targets, False)
    *_, path = fit_logistic(features, targets, weights, [0.1, 1., 10.])
    alone, = fit_logistic(features, targets, weights, [10.])
    torch.testing.assert_close(path.weight, alone.weight, atol=1e-3, rtol=1e-3)


def test_the_larger_the_strength_the_larger_the_weights():
    features, targets = data()
    norms = [fitted.weight[:, 0].norm() for fitted in fit_logistic(
        features, targets, balanced_weights(targets, False), [0.1, 1., 10.])]
    assert norms == sorted(norms)


def test_a_constant_feature_gets_no_weight():
    features, targets = data()
    features[:, 3] = 7
    fitted, = fit_logistic(features, targets, balanced_weights(targets, False), [1.])
    assert fitted.weight[:, 3].abs().max() < 1e-6
    assert fitted(features).isfinite().all()


def test_each_class_weighs_the_same():
    targets = torch.tensor([[1., 0], [1, 0], [1, 0], [0, 1]])
    torch.testing.assert_close(
        balanced_weights(targets, False), torch.tensor([1 / 6, 1 / 6, 1 / 6, 1 / 2]))


def test_presence_and_absence_of_each_class_weigh_the_same():
    targets = torch.tensor([[1., 1], [1, 0], [1, 0], [0, 0]])
    torch.testing.assert_close(balanced_weights(targets, True), torch.tensor(
        [[1 / 6, 1 / 2], [1 / 6, 1 / 6], [1 / 6, 1 / 6], [1 / 2, 1 / 6]]))
