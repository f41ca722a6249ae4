"""The paper's loss as a guidance method."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from cfcn_plugin.functional import (
    RESIZES,
    at_least_float32,
    causal_focus_loss,
    focus_ratio_bounds,
    pool_channels,
)
from cfcn_plugin.functional.attribution import channel_weights, class_score
from cfcn_plugin.options import check_choice, check_number

from .guidance_batch import GuidanceBatch
from .reduction import reduce_images, zero_unguided
from .weighted import WeightedGuidance

CHANNELS = ('all', 'target', 'per_class')
ABSENT = ('skip', 'context')
AVERAGES = ('macro', 'micro')
WEIGHTS = ('uniform', 'gradient')


class CausalFocusLoss(WeightedGuidance):
    """alpha times the fraction of the activation that lies on the context (CFCN).

    The defaults are the paper's equations, made safe for maps that die
    (:class:`.LiteralFocusLoss` has the equations as printed). Unlike the paper, with
    ``channels='all'``::

        macro  sum_f v_f (1 - sum_jk (A * A_f)_jk / sum_jk (A_f)_jk)
        micro  1 - sum_f v_f sum_jk (A * A_f)_jk / sum_f v_f sum_jk (A_f)_jk

    for ``average`` with rectified maps A_f and channel weights v_f of sum 1; the macro
    average with v_f = 1/F is Eq. 1. In the macro average every channel counts alike,
    a channel that is hardly active too, and a dead channel costs 1. In the micro
    average a channel counts by its activity. For a head whose maps are classes
    (CFCN-C), ``channels='all', average='micro'`` holds the other classes' maps against
    the mask, too: evidence for another class that lies on the context is as wrong as
    evidence for the true class.

    Logs ``loss_focus``, with alpha in it, and detached, each the mean over the guided
    images (NaN if there is none): ``focus``, the fraction of the activation inside the
    mask, 1 is best; ``focus_best``, the most that maps of this size can have with these
    masks, and ``focus_uniform``, what uniform maps have. ``active_maps`` is the
    fraction of maps that are not dead: a map is active if it has a value above ``eps``
    in any image of the batch, for a map of few features is 0 in most images; for
    ``channels='target'`` the fraction of images whose true class's map is active.

    Several hook targets cost their mean. An image that a batch augment has mixed costs
    what its components cost, by their fractions of the label; an unguided component
    costs nothing.

    Args:
        loss_weight: The paper's alpha, >= 0 (Table 4: 1 for Pets, 1.5 for
            Aeroplane-Cow, 3 for Brain MRI, 0.8 for IDRiD).
        channels: ``'all'``: the mean over maps (Eq. 1, CFCN-F). ``'target'``: the
            true class's map, for maps that are classes (Eq. 2, CFCN-C); several
            labels are averaged. ``'per_class'``: a mask a class (Eq. 3).
        eps: See :func:`cfcn_plugin.functional.causal_focus_ratio`.
        resize: ``'mask'`` or ``'activation'``, as in that function.
        reduction: ``'batch'`` divides by the batch size, ``'guided'`` by the number
            of guided images over all ranks (one small collective a step). A mixed
            image counts by the fraction of its label that is guided.
        absent: In Eq. 3, a class without a mask in an image is skipped
            (``'skip'``), or counts as context everywhere (``'context'``, the literal
            equation: a cost of 1).
        average: Over channels: ``'macro'``, the mean of the channels' fractions
            (Eq. 1), or ``'micro'``, one fraction of the summed activation.
        channel_weights: v_f: ``'uniform'`` (the paper), or ``'gradient'``: how much a
            channel matters to the true class, for the class or against it
            (:func:`cfcn_plugin.functional.attribution.channel_weights`), detached. The
            option costs the gradient from the score back to the map. Without gradients,
            in validation, the ratio is the uniform one.

    Raises:
        ValueError: An option is wrong.
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        channels: str = 'all',
        eps: float = 1e-4,
        resize: str = 'mask',
        reduction: str = 'batch',
        absent: str = 'skip',
        average: str = 'macro',
        channel_weights: str = 'uniform',
    ):
        super().__init__(loss_weight, reduction)
        check_choice('channels', channels, CHANNELS)
        check_choice('resize', resize, RESIZES)
        check_choice('absent', absent, ABSENT)
        check_choice('average', average, AVERAGES)
        check_choice('channel_weights', channel_weights, WEIGHTS)
        if channels != 'all' and (average, channel_weights) != ('macro', 'uniform'):
            raise ValueError(
                f'average={average!r} and channel_weights={channel_weights!r} are for '
                f"channels='all', got {channels!r}, which picks maps by their class"
            )
        check_number('eps', eps, above=0)
        self.channels = channels
        self.eps = eps
        self.resize = resize
        self.absent = absent
        self.average = average
        self.channel_weights = channel_weights
        self.differentiates = channel_weights == 'gradient'

    def forward(self, batch: GuidanceBatch) -> dict[str, Tensor]:
        per_image = self.per_image(batch)
        outside = reduce_images(per_image, batch.masks.weight, self.reduction)
        return dict(
            loss_focus=self.loss_weight * outside,
            **self._logged(per_image.detach(), batch),
            active_maps=self.active_maps(batch),
        )

    def _logged(self, per_image: Tensor, batch: GuidanceBatch) -> dict[str, Tensor]:
        costs = torch.stack([per_image, *self.bounds(batch).to(per_image.dtype)])
        guided = batch.masks.weight.sum().to(costs.dtype)
        focus = 1 - costs.sum(1) / guided  # NaN without a guided image
        return dict(zip(('focus', 'focus_best', 'focus_uniform'), focus.unbind()))

    def per_image(self, batch: GuidanceBatch) -> Tensor:
        """Each image's fraction outside, (B,) in [0, 1]; exactly 0 for unguided images.

        Of a mixed image, times the guided fraction of its label.
        """
        maps = batch.each_map()
        terms = [
            self._of_mixture(one, partial(self._outside, weights=weights))
            for one, weights in zip(maps, self._channel_weights(batch))
        ]
        return sum(terms) / len(maps)  # type: ignore[return-value]

    @torch.no_grad()
    def bounds(self, batch: GuidanceBatch) -> Tensor:
        """:meth:`per_image` of the best maps, and of uniform maps, (2, B)."""
        maps = batch.each_map()
        terms = [self._of_mixture(one, self._bounds) for one in maps]
        return sum(terms) / len(maps)  # type: ignore[return-value]

    @torch.no_grad()
    def active_maps(self, batch: GuidanceBatch) -> Tensor:
        """Fraction of the guided maps with a value above ``eps``, a scalar."""
        fractions = []
        for activation in batch.maps:
            live = (activation.amax((2, 3)) > self.eps).float()  # (B, F)
            live = (
                class_score(live, batch.target)
                if self.channels == 'target'
                else live.amax(0)
            )
            fractions.append(live.mean())
        return sum(fractions) / len(fractions)  # type: ignore[return-value]

    def _channel_weights(self, batch: GuidanceBatch) -> list[Tensor | None]:
        """v_f in each map, (B, F); None for all alike."""
        if self.channel_weights == 'uniform' or not torch.is_grad_enabled():
            return [None] * len(batch.maps)
        score = class_score(batch.logits, batch.target)
        return [channel_weights(gradient) for gradient in batch.model.gradients(score)]

    def _of_mixture(
        self, batch: GuidanceBatch, cost: Callable[[GuidanceBatch], Tensor]
    ) -> Tensor:
        if not batch.masks.components:
            return cost(batch)
        if self.channels == 'all':  # such maps know no labels, so no label's own mask
            return batch.masks.weight * cost(batch)
        return sum(  # type: ignore[return-value]
            component.weight * cost(batch.of_component(component))
            for component in batch.masks.components
        )

    def _outside(self, batch: GuidanceBatch, weights: Tensor | None) -> Tensor:
        activation, mask, target = batch.maps[0], batch.masks.mask, weights
        if self.average == 'micro':
            rectified = at_least_float32(activation).relu()
            activation, target = pool_channels(rectified, weights), None
        if self.channels == 'per_class':
            activation, mask, target = self._present_classes(batch)
        else:
            if mask.shape[1] > 1:  # one image's causes, whatever their class
                mask = mask.amax(1, keepdim=True)
            if self.channels == 'target':
                target = self._true_class(batch)
        loss = causal_focus_loss(
            activation,
            mask,
            target=target,
            guided=batch.masks.guided,
            ignore=batch.masks.ignore,
            eps=self.eps,
            resize=self.resize,
            reduction='none',
        )
        return loss + self._cost_of_absent(batch, target)

    def _bounds(self, batch: GuidanceBatch) -> Tensor:
        mask, weights = batch.masks.mask, None
        if self.channels == 'per_class':
            weights = self._class_weights(batch)
        else:
            mask = mask.amax(1, keepdim=True)
        ratios = focus_ratio_bounds(
            batch.maps[0], mask, ignore=batch.masks.ignore, resize=self.resize
        )
        costs = 1 - torch.stack(ratios)  # (2, B, K)
        costs = costs.mean(-1) if weights is None else (costs * weights).sum(-1)
        return zero_unguided(costs, batch.masks.guided) + self._cost_of_absent(
            batch, weights
        )

    def _cost_of_absent(
        self, batch: GuidanceBatch, weights: Tensor | None
    ) -> Tensor | float:
        if self.channels != 'per_class' or self.absent == 'skip':
            return 0.0
        return zero_unguided(1 - weights.sum(1), batch.masks.guided)

    def _check_maps_are_classes(self, batch: GuidanceBatch) -> None:
        maps, classes = batch.maps[0].shape[1], batch.logits.shape[1]
        if maps != classes:
            raise ValueError(
                f'channels={self.channels!r} takes maps by their class, but there are '
                f'{maps} maps for {classes} classes: use a CausalFocusHead with '
                "mode='class', or channels='all'"
            )

    def _true_class(self, batch: GuidanceBatch) -> Tensor:
        self._check_maps_are_classes(batch)
        if batch.target.dim() == 1:
            return batch.target
        return batch.target / batch.target.sum(1, keepdim=True).clamp(min=1)

    def _present_classes(self, batch: GuidanceBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Maps and masks of the classes an image has masks for, and their weights."""
        self._check_maps_are_classes(batch)
        if batch.masks.classes is None:
            raise ValueError(
                "channels='per_class' needs one mask a class, (K, H, W) with their "
                "classes, and the mask source gives one an image: use channels='all' "
                "or 'target', or a source with classes"
            )
        index = batch.masks.classes.clamp(min=0)[..., None, None]
        activation = batch.maps[0].gather(
            1, index.expand(-1, -1, *batch.maps[0].shape[-2:])
        )
        return activation, batch.masks.mask, self._class_weights(batch)

    def _class_weights(self, batch: GuidanceBatch) -> Tensor:
        present = batch.masks.classes >= 0  # (B, K)
        if self.absent == 'skip':
            return present / present.sum(1, keepdim=True).clamp(min=1)
        return present / batch.maps[0].shape[1]
