"""Fits of a head, judged on images and backgrounds that were held out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .logistic import Linear, balanced_weights, fit_logistic, weighted_loss
from .views import Views

NO_FOLD = -1
ERRORS = 2  # standard errors that a gain must exceed
MOST_EXCESS = 0.5  # of backgrounds of the same class over chance; 1 is all of them


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
        swapped_error: Standard error of their difference, from image to image.
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
    swapped_error: float
    plain_before: float
    plain_after: float

    def __str__(self) -> str:
        rows = [
            ('answers that change with the background', 'changed'),
            ('accuracy on other backgrounds', 'swapped'),
            ('accuracy on the images as they are', 'plain'),
        ]
        lines = [f'{"held-out images, %":42}{"before":>8}{"after":>8}']
        lines += [
            f'{text:42}{100 * getattr(self, f"{name}_before"):8.1f}'
            f'{100 * getattr(self, f"{name}_after"):8.1f}'
            for text, name in rows
        ]
        lines.append(
            f'{self.images} guided images, {self.left_out} left out; strength '
            f'{self.strength:g}'
        )
        if not self.is_better:
            lines.append(
                f'The gain on other backgrounds is {100 * self.gain:.1f} points, with '
                f'a standard error of {100 * self.swapped_error:.1f}: no more than '
                'chance can give. Masks of more images would tell.'
            )
        return '\n'.join(lines)

    @property
    def gain(self) -> float:
        """Of accuracy on other backgrounds, in [-1, 1]."""
        return self.swapped_after - self.swapped_before

    @property
    def is_better(self) -> bool:
        """Whether the gain is above twice its standard error."""
        return self.gain > ERRORS * self.swapped_error


class Fits:
    """Fits of a head to views, with cross-validation.

    Args:
        views: The features.
        classes: Number of classes C.
        bias: Whether the head has a bias.

    Raises:
        ValueError: A class has no guided image, or, of several labels, all of them; the
            images cannot be held out; or all backgrounds of a class, or most of all
            backgrounds, are of the same class.
    """

    def __init__(self, views: Views, classes: int, bias: bool):
        self.views = views
        self.bias = bias
        self.several = views.targets.dim() == 2
        self.targets = (
            views.targets if self.several else F.one_hot(views.targets, classes)
        ).float()
        _check(self.targets, views, self.several)

    def choose(
        self, strengths: Sequence[float]
    ) -> tuple[float, Linear, tuple[Tensor, Tensor]]:
        """Fit with the strength of the lowest held-out loss.

        Fits with a larger strength take longer. They end when the held-out loss
        does not fall any more.

        Args:
            strengths: In rising order.

        Returns:
            The strength, the head fitted to all images, and held-out logits (N, C) of
            the images as they are and (N, V, C) on other backgrounds, each by the head
            that was fitted without its fold.
        """
        folds = self.views.folds.unique().tolist()
        weights = [self._without(fold) for fold in (*folds, NO_FOLD)]
        judged = balanced_weights(self.targets, self.several)[:, None]
        lowest, best = math.inf, None
        fits = fit_logistic(
            self.views.swapped, self.targets, torch.stack(weights), strengths, self.bias
        )
        for strength, (*layers, layer) in zip(strengths, fits):
            logits = self._held_out(folds, layers)
            loss = weighted_loss(logits[1], self.targets[:, None], judged).item()
            if best is not None and loss >= lowest:
                break  # the loss falls, and then rises with the strength
            lowest, best = loss, (strength, layer, logits)
        return best

    def _without(self, fold: int) -> Tensor:
        """Balanced weights of all images but those of the fold."""
        taken = self.views.folds != fold
        some = balanced_weights(self.targets[taken], self.several)
        weights = some.new_zeros(len(taken), *some.shape[1:])
        weights[taken] = some
        return weights

    def _held_out(
        self, folds: Sequence[int], layers: Sequence[Linear]
    ) -> tuple[Tensor, Tensor]:
        count, views = self.views.swapped.shape[:2]
        plain = torch.zeros(count, self.targets.shape[1])
        swapped = torch.zeros(count, views, self.targets.shape[1])
        for fold, layer in zip(folds, layers):
            inside = self.views.folds == fold
            plain[inside] = layer(self.views.plain[inside])
            swapped[inside] = layer(self.views.swapped[inside])
        return plain, swapped

    def report(
        self, strength: float, before: Linear, after: tuple[Tensor, Tensor]
    ) -> RepairReport:
        """Compare the head before with held-out logits of :meth:`choose`."""
        figures = {}
        logits = dict(
            before=(before(self.views.plain), before(self.views.swapped)), after=after
        )
        for when, (plain, swapped) in logits.items():
            answers = self._answers(swapped)
            figures[f'changed_{when}'] = (
                (answers != answers[:, :1]).flatten(1).any(1).float().mean().item()
            )
            figures[f'swapped_{when}'] = self._mean(self._right(swapped)).item()
            figures[f'plain_{when}'] = self._mean(self._right(plain[:, None])).item()
        gain = self._right(after[1]) - self._right(logits['before'][1])
        parts = self._parts(gain - self._mean(gain))
        figures['swapped_error'] = parts.square().sum().sqrt().item()
        return RepairReport(len(self.targets), self.views.left_out, strength, **figures)

    def _answers(self, logits: Tensor) -> Tensor:
        """(N, V, C) bool: the predicted classes."""
        if self.several:
            return logits > 0
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).bool()

    def _right(self, logits: Tensor) -> Tensor:
        """(N,) or, for several labels, (N, C): the fraction of views (N, V, C)."""
        right = self._answers(logits) == self.targets[:, None].bool()
        return (right if self.several else right.all(-1)).double().mean(1)

    def _mean(self, values: Tensor) -> Tensor:
        """The mean over classes, of (N,) or (N, C)."""
        return self._parts(values).sum()

    def _parts(self, values: Tensor) -> Tensor:
        """(N,): what each image adds to the mean over classes."""
        weights = balanced_weights(self.targets.double(), self.several)
        return (weights * values).mean(1) if self.several else weights * values


def _check(targets: Tensor, views: Views, several: bool) -> None:
    counts = targets.sum(0)
    empty = (counts == 0).nonzero().flatten().tolist()
    if empty:
        raise ValueError(
            f'no guided image of the classes {empty[:10]}: give masks of a few images '
            'of each class'
        )
    everywhere = (counts == len(targets)).nonzero().flatten().tolist()
    if several and everywhere:
        raise ValueError(
            f'each guided image has the classes {everywhere[:10]}, so that the layer '
            'would learn to answer them always: give masks of a few images without '
            'them, too'
        )
    if len(views.folds.unique()) < 2:
        raise ValueError(
            f'{len(targets)} guided images cannot be held out: give masks '
            'of at least four images in one batch'
        )
    _check_backgrounds(targets, views.others, counts)


def _check_backgrounds(targets: Tensor, others: Tensor, counts: Tensor) -> None:
    """Backgrounds must not tell the class, as they do in batches of one class."""
    same = torch.stack(  # fraction of the backgrounds for a class that are of the class
        [one[others[one > 0]].mean() for one in targets.T]
    )
    alone = (same == 1).nonzero().flatten().tolist()
    by_chance = (counts - 1) / (len(targets) - 1)
    excess = (counts * (same - by_chance)).sum() / (counts * (1 - by_chance)).sum()
    if alone or excess > MOST_EXCESS:
        raise ValueError(
            (
                f'all backgrounds for the classes {alone[:10]}'
                if alone
                else f'{(counts * same).sum() / counts.sum():.0%} of the backgrounds'
            )
            + ' are from images of the same class, so that backgrounds still tell the '
            'class: shuffle the images, or take larger batches'
        )
