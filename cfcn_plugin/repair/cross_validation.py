"""Fits of a head, judged on images and backgrounds that were held out."""
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .logistic import Linear, balanced_weights, fit_logistic, weighted_loss
from .views import Views


@dataclass(frozen=True)
class RepairReport:
    """What a repair changes, measured on images and backgrounds held out of the fit.

    Each image is judged by a head that was fitted without the image and without its
    backgrounds (cross-validation). Fractions are in [0, 1]; each class counts equally
    in an accuracy.

    Attributes:
        images: Number of guided images that were used.
        left_out: Number of images with a mask that could not be used: the mask covers
            the image, or no other image of the batch has a mask.
        strength: The strength that was chosen, of data over penalty.
        changed_before, changed_after: Fraction of images whose answer is not the same
            on all backgrounds.
        swapped_before, swapped_after: Accuracy on other backgrounds.
        plain_before, plain_after: Accuracy on the images as they are. It may fall where
            the model used backgrounds that tell the class.
    """
    images: int
    left_out: int
    strength: float
    changed_before: float
    changed_after: float
    swapped_before: float
    swapped_after: float
    plain_before: float
    plain_after: float

    def __str__(self) -> str:
        rows = [
            ('answers that change with the background', 'changed'),
            ('accuracy on other backgrounds', 'swapped'),
            ('accuracy on the images as they are', 'plain')]
        lines = [f'{"held-out images, %":42}{"before":>8}{"after":>8}']
        lines += [f'{text:42}{100 * getattr(self, f"{name}_before"):8.1f}'
                  f'{100 * getattr(self, f"{name}_after"):8.1f}' for text, name in rows]
        lines.append(f'{self.images} guided images, {self.left_out} left out; strength '
                     f'{self.strength:g}')
        return '\n'.join(lines)


class Fits:
    """Fits of a head to views, with cross-validation.

    Args:
        views: The features.
        classes: Number of classes C.
        bias: Whether the head has a bias.

    Raises:
        ValueError: Targets are not those of C classes, a class has no guided image, or
            all backgrounds of a class are of the same class.
    """

    def __init__(self, views: Views, classes: int, bias: bool):
        self.views = views
        self.bias = bias
        self.several = views.targets.dim() == 2
        if self.several:
            self.targets = views.targets.float()
        else:
            _check_labels(views.targets, classes)
            self.targets = F.one_hot(views.targets, classes).float()
        _check(self.targets, classes, views, self.several)

    def choose(self, strengths: Sequence[float]) -> tuple[float, tuple[Tensor, Tensor]]:
        """The strength with the lowest held-out loss, and the held-out logits.

        Returns:
            The strength, and logits (N, C) of the images as they are and (N, V, C) on
            other backgrounds, each by the head that was fitted without its fold.
        """
        count, amount = self.views.swapped.shape[:2]
        classes = self.targets.shape[1]
        plain = torch.zeros(len(strengths), count, classes)
        swapped = torch.zeros(len(strengths), count, amount, classes)
        for fold in self.views.folds.unique():
            inside = self.views.folds == fold
            for number, layer in enumerate(self._fit(~inside, strengths)):
                plain[number, inside] = layer(self.views.plain[inside])
                swapped[number, inside] = layer(self.views.swapped[inside])
        weights = balanced_weights(self.targets, self.several)
        losses = [sum(weighted_loss(logits[:, view], self.targets, weights).item()
                      for view in range(amount)) for logits in swapped]
        best = min(range(len(strengths)), key=losses.__getitem__)
        return strengths[best], (plain[best], swapped[best])

    def fit_all(self, strength: float) -> Linear:
        """The head fitted to all images."""
        return next(self._fit(torch.ones_like(self.views.folds, dtype=torch.bool),
                              [strength]))

    def _fit(self, chosen: Tensor, strengths: Sequence[float]) -> Iterator[Linear]:
        amount = self.views.swapped.shape[1]
        targets = self.targets[chosen].repeat_interleave(amount, 0)
        return fit_logistic(self.views.swapped[chosen].flatten(0, 1), targets,
                            balanced_weights(targets, self.several), strengths,
                            self.bias)

    def report(self, strength: float, before: Linear,
               after: tuple[Tensor, Tensor]) -> RepairReport:
        """Compare the head before with held-out logits of :meth:`choose`."""
        figures = {}
        logits = dict(before=(before(self.views.plain), before(self.views.swapped)),
                      after=after)
        for when, (plain, swapped) in logits.items():
            answers = self._answers(swapped)
            figures[f'changed_{when}'] = (
                answers != answers[:, :1]).flatten(1).any(1).float().mean().item()
            figures[f'swapped_{when}'] = self._accuracy(swapped)
            figures[f'plain_{when}'] = self._accuracy(plain[:, None])
        return RepairReport(
            len(self.targets), self.views.left_out, strength, **figures)

    def _answers(self, logits: Tensor) -> Tensor:
        """(N, V, C) bool: the predicted classes."""
        if self.several:
            return logits > 0
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).bool()

    def _accuracy(self, logits: Tensor) -> float:
        """The mean over classes, of logits (N, V, C)."""
        right = (self._answers(logits) == self.targets[:, None].bool())
        weights = balanced_weights(self.targets, self.several).double()
        if self.several:
            return (weights[:, None] * right).sum(0).mean().item()
        return (weights[:, None] * right.all(-1)).sum(0).mean().item()


def _check_labels(labels: Tensor, classes: int) -> None:
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f'targets from {labels.min()} to {labels.max()}, but the '
                         f'model has {classes} classes')


def _check(targets: Tensor, classes: int, views: Views, several: bool) -> None:
    if targets.shape[1] != classes:
        raise ValueError(f'targets of {targets.shape[1]} classes, but the model has '
                         f'{classes}')
    empty = (targets.sum(0) == 0).nonzero().flatten().tolist()
    if empty:
        raise ValueError(
            f'no guided image of the classes {empty[:10]}: give masks of a few images '
            'of each class')
    if len(views.folds.unique()) < 2:
        raise ValueError(f'{len(targets)} guided images cannot be held out: give masks '
                         'of at least four images in one batch')
    if several or classes == 1:
        return
    theirs = targets[views.others].argmax(-1)  # (N, V)
    own = targets.argmax(1, keepdim=True)
    alone = [c for c in range(classes) if (theirs == own)[own[:, 0] == c].all()]
    if alone:
        raise ValueError(
            f'all backgrounds for the classes {alone[:10]} are from images of the same '
            'class, so that backgrounds still tell the class: shuffle the images, or '
            'take larger batches')
