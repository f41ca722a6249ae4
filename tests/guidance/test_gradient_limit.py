"""A term's gradient in the maps is held below the class loss's."""
import math
from dataclasses import replace

import pytest
import torch
from batches import changed, guidance_batch
from torch import nn

from cfcn_plugin import FeatureHook, Guide
from cfcn_plugin.functional import causal_focus_loss
from cfcn_plugin.guidance import CausalFocusLoss, MaskBatch, MixComponent
from cfcn_plugin.guidance.gradient_limit import cross_entropy, limit_gradient


def pooled(activation, mask, target, *, pool=lambda a: a.relu().mean((2, 3)), **more):
    """What guidance sees of a network whose logits are the means of class maps."""
    logits = pool(activation)

    def gradients(score, create_graph=False):
        return torch.autograd.grad(
            score.sum(), [activation], retain_graph=True, create_graph=create_graph)

    given = dict(
        images=torch.zeros(len(mask), 3, *mask.shape[-2:]), maps=activation,
        logits=logits, mask=mask, ignore=None, target=target, gradients=gradients,
        guided=torch.ones(len(mask), dtype=torch.bool))
    return guidance_batch(**{**given, **more})


def two_cells():
    """Class 0 has 3 of 4 inside; both logits are 2, so both probabilities 1/2."""
    activation = torch.tensor(
        [[[[3., 1.]], [[2., 2.]]]], dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[[[1, 0]]]], dtype=torch.uint8)
    return activation, mask, torch.tensor([0])


def some_batch(seed=0, **more):
    generator = torch.Generator().manual_seed(seed)
    activation = torch.randn(4, 3, 5, 4, dtype=torch.float64, generator=generator)
    mask = (torch.rand(4, 1, 10, 8, generator=generator) > 0.9).to(torch.uint8)
    target = torch.tensor([0, 2, 1, 2])
    return pooled(activation.requires_grad_(), mask, target, **more)


def gradient_of(batch, loss=None):
    """Of cross entropy or of a guidance method, summed over images, in the map."""
    if loss is None:
        total = cross_entropy(batch).sum()
    else:
        total = len(batch.images) * loss(batch)['loss_focus']
    return torch.autograd.grad(total, batch.maps, retain_graph=True)[0]


# ---- by hand ---------------------------------------------------------------

# (r - mask) / sum A, with r = 3/4 and sum A = 4
FOCUS = torch.tensor([[-0.25, 0.75]], dtype=torch.float64) / 4


@pytest.mark.parametrize('alpha, max_ratio, norm', [
    (10, 1, 0.5),  # of cross entropy's: (p - y) / 2 = 1/4 in each of four cells
    (10, 0.5, 0.25),
    (1e6, 0.5, 0.25),
    (1, 1, FOCUS.norm().item()),  # 0.198: below the limit
    (0, 1, 0)])
def test_gradient_by_hand(alpha, max_ratio, norm):
    loss = CausalFocusLoss(
        alpha, channels='target', eps=1e-12, max_grad_ratio=max_ratio)
    batch = pooled(*two_cells())
    assert gradient_of(batch).norm() == 0.5
    found = gradient_of(batch, loss)
    torch.testing.assert_close(found[0, 0], norm * FOCUS / FOCUS.norm())
    assert not found[0, 1].any()


def test_cross_entropy_by_hand():
    batch = pooled(*two_cells())
    assert cross_entropy(batch).item() == pytest.approx(math.log(2))
    # label 0 present and label 1 absent, each with a probability of sigmoid(2)
    expected = math.log(1 + math.exp(-2)) + math.log(1 + math.exp(2))
    for target in (torch.tensor([0]), torch.tensor([[1, 0]])):
        several = cross_entropy(replace(batch, target=target), multi_label=True)
        assert several.item() == pytest.approx(expected)


# ---- what the mathematics promises -----------------------------------------


@pytest.mark.parametrize('alpha', [0.1, 3., 1000., 1e12])
@pytest.mark.parametrize('max_ratio', [0.3, 1.])
@pytest.mark.parametrize('channels', ['all', 'target'])
def test_no_alpha_turns_the_gradient_against_the_class_loss(
        alpha, max_ratio, channels):
    batch = some_batch()
    ours = gradient_of(batch, CausalFocusLoss(
        alpha, channels=channels, max_grad_ratio=max_ratio))
    literal = gradient_of(batch, CausalFocusLoss(alpha, channels=channels))
    theirs = gradient_of(batch)
    for f, unlimited, g in zip(ours, literal, theirs):
        assert f.norm() <= max_ratio * g.norm() * (1 + 1e-9)
        assert (g * (f + g)).sum() >= (1 - max_ratio) * g.norm()**2 - 1e-12
        torch.testing.assert_close(  # the same direction
            f, unlimited * (f.norm() / unlimited.norm()))
    if alpha > 100:  # the literal term has another sign there
        assert ((theirs * (literal + theirs)).sum((1, 2, 3)) < 0).any()


def test_values_are_those_of_the_equation_and_a_small_alpha_is_not_limited():
    batch = some_batch()
    for alpha in (1e-3, 1000.):
        literal, ours = (
            CausalFocusLoss(alpha, channels='target', max_grad_ratio=limit)
            for limit in (None, 1.))
        for key, value in literal(batch).items():
            torch.testing.assert_close(ours(batch)[key], value)
    torch.testing.assert_close(
        gradient_of(batch, CausalFocusLoss(1e-3, channels='target', max_grad_ratio=1.)),
        gradient_of(batch, CausalFocusLoss(1e-3, channels='target')))


def test_equals_a_slow_loop():
    batch, alpha = some_batch(), 5.
    found = gradient_of(batch, CausalFocusLoss(
        alpha, channels='target', max_grad_ratio=0.7))
    for image, target in enumerate(batch.target.tolist()):
        one = batch.maps[0].detach()[image:image + 1].clone().requires_grad_()
        g, = torch.autograd.grad(
            -one.relu().mean((2, 3)).log_softmax(1)[0, target], one)
        f, = torch.autograd.grad(alpha * causal_focus_loss(
            one, batch.masks.mask[image:image + 1], target=torch.tensor([target])), one)
        factor = min(1, 0.7 * (g**2).sum().sqrt() / (f**2).sum().sqrt())
        torch.testing.assert_close(found[image], factor * f[0])


# ---- the rest of a batch ---------------------------------------------------


def test_unguided_image_costs_nothing_whatever_its_map():
    activation = torch.rand(2, 2, 3, 3) + 0.1
    activation[1] = float('nan')
    mask = torch.zeros(2, 1, 3, 3, dtype=torch.uint8)
    mask[:, :, 0, 0] = 1
    batch = pooled(activation.requires_grad_(), mask, torch.tensor([0, 1]),
                   guided=torch.tensor([True, False]))
    loss = CausalFocusLoss(1000., channels='target', max_grad_ratio=1.)
    found = gradient_of(batch, loss)
    assert found[0].isfinite().all() and found[0].any()
    assert (found[1] == 0).all()


def test_several_labels_have_sigmoids():
    batch = some_batch()
    batch = replace(batch, target=torch.eye(3)[batch.target])
    loss = CausalFocusLoss(
        1e6, channels='target', max_grad_ratio=1., multi_label=True)
    theirs, = torch.autograd.grad(
        nn.functional.binary_cross_entropy_with_logits(
            batch.logits, batch.target.double(), reduction='sum'),
        batch.maps, retain_graph=True)
    torch.testing.assert_close(
        gradient_of(batch, loss).flatten(1).norm(dim=1), theirs.flatten(1).norm(dim=1))


def test_mixed_images_are_limited_too():
    batch = some_batch()
    scores, mask = torch.eye(3), batch.masks.mask.double()
    components = tuple(
        MixComponent(mask, scores[target], None, torch.full((4, ), weight))
        for target, weight in ((batch.target, 0.6), (batch.target.flip(0), 0.4)))
    joint = sum(c.weight[:, None] * c.target for c in components).double()
    mixed = replace(changed(batch, components=components), target=joint)
    found = gradient_of(mixed, CausalFocusLoss(
        1e6, channels='target', max_grad_ratio=0.5))
    torch.testing.assert_close(
        found.flatten(1).norm(dim=1), 0.5 * gradient_of(mixed).flatten(1).norm(dim=1))


def test_of_several_maps_the_smallest_factor_counts():
    first = torch.rand(1, 2, 4, 4, requires_grad=True)
    second = 2 * first
    logits = second.mean((2, 3))

    def gradients(score, create_graph=False):
        return torch.autograd.grad(score.sum(), [first, second], retain_graph=True)

    mask = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    mask[..., 0, 0] = 1
    batch = changed(
        pooled(first, mask, torch.tensor([0])), maps=(first, second),
        gradients=gradients)
    batch = replace(batch, logits=logits)
    loss = CausalFocusLoss(1e4, max_grad_ratio=1.)(batch)['loss_focus']
    ratios = [
        (f.norm() / g.norm()).item() for f, g in zip(
            gradients(loss), gradients(cross_entropy(batch)))]
    assert max(ratios) == pytest.approx(1, rel=1e-5)
    assert min(ratios) < 0.999


def test_half_precision_holds_small_gradients():
    # 1 - p is 7e-4, over 96 x 96 cells: 7e-8 in a cell, about the smallest float16
    activation = torch.full((1, 2, 96, 96), 0.1, dtype=torch.float16)
    activation[:, 0] = 7.3
    mask = torch.zeros(1, 1, 96, 96, dtype=torch.uint8)
    mask[..., :9, :9] = 1
    batch = pooled(activation.requires_grad_(), mask, torch.tensor([0]),
                   pool=lambda a: a.float().mean((2, 3)))
    per_image = CausalFocusLoss(channels='target').per_image(batch)
    limited = limit_gradient(per_image, batch, 1e3, 1.)
    f, g = (torch.autograd.grad(96**2 * one, activation, retain_graph=True)[0].double()
            for one in (1e3 * limited, cross_entropy(batch)))
    assert (f.norm() / g.norm()).item() == pytest.approx(1, rel=1e-2)


def test_without_gradients_nothing_is_limited():
    batch = some_batch()
    with torch.no_grad():
        terms = CausalFocusLoss(3., channels='target', max_grad_ratio=1.)(batch)
    torch.testing.assert_close(
        terms['loss_focus'],
        3 * CausalFocusLoss(channels='target')(batch)['loss_focus'])


# ---- a network -------------------------------------------------------------


def tinted_noise(count=24):
    """8x8 noise; the class is a faint tint everywhere, the mask a pixel anywhere."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, 3, 8, 8, generator=generator)
    labels = torch.arange(count) % 3
    images[torch.arange(count), labels] += 0.1
    masks = torch.zeros(count, 64, dtype=torch.uint8)
    masks[torch.arange(count), torch.randint(0, 64, (count, ), generator=generator)] = 1
    return images, labels, masks.view(count, 1, 8, 8)


class ClassMaps(nn.Module):
    """CFCN-C: the class scores are the means of rectified class maps."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 3, 1))

    def forward(self, images):
        return self.layers(images).relu().mean((2, 3))


def train(method, steps=60):
    """Accuracy and focus on the training images."""
    images, labels, masks = tinted_noise()
    batch = MaskBatch(masks, None, torch.ones(len(images), dtype=torch.bool))
    torch.manual_seed(0)
    model = ClassMaps()
    guide = Guide(model, method, feature_hook=FeatureHook('layers.3'))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        with guide:
            logits = model(images)
        loss = nn.functional.cross_entropy(logits, labels)
        loss = loss + guide.loss(images, logits, labels, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        maps = model.layers(images)
        right = maps.relu().mean((2, 3)).argmax(1) == labels
        outside = causal_focus_loss(maps, masks, target=labels)
    return right.float().mean().item(), 1 - outside.item()


def test_classes_are_learned_whatever_alpha():
    # the masks say nothing of the class, so that no focus helps
    starved, _ = train(CausalFocusLoss(1000., channels='target'))
    limited, focus = train(
        CausalFocusLoss(1000., channels='target', max_grad_ratio=1.))
    assert starved < 0.6
    assert limited > 0.9
    assert focus > 1.5 / 64  # a uniform map has 1 / 64
