"""The paper's loss as a guidance method."""
from collections.abc import Sequence
from dataclasses import replace

import torch
from mmpretrain.registry import MODELS
from torch import Tensor

from cfcn_plugin.functional import RESIZES, causal_focus_loss

from .base import Guidance, Seen
from .options import check_choice, check_positive, check_weight
from .reduction import REDUCTIONS, reduce_images

CHANNELS = ('all', 'target', 'per_class')
ABSENT = ('skip', 'context')


@MODELS.register_module()
class CausalFocusLoss(Guidance):
    """alpha times the share of activation that lies on the context (CFCN).

    Logs ``loss_focus`` (with alpha in it) and ``focus`` (without, detached).

    A picture that a batch augment has mixed costs what its parts cost, by their shares
    of the label; an unguided part costs nothing.

    Args:
        loss_weight: The paper's alpha, >= 0 (Table 4: 1 for Pets, 1.5 for
            Aeroplane-Cow, 3 for Brain MRI, 0.8 for IDRiD).
        channels: ``'all'``: the mean over maps (Eq. 1, CFCN-F). ``'target'``: the
            true class's map, for maps that are classes (Eq. 2, CFCN-C); several
            labels are averaged. ``'per_class'``: a mask a class (Eq. 3).
        eps: See :func:`cfcn_plugin.functional.causal_focus_ratio`.
        resize: ``'mask'`` or ``'activation'``, see there.
        reduction: ``'batch'`` divides by the batch size, ``'guided'`` by the number
            of guided images over all ranks (one small collective a step). A mixed
            picture counts by the share of its label that is guided.
        absent: In Eq. 3, a class without a mask in an image is skipped, or counts as
            context everywhere (``'context'``, the literal equation: a cost of 1).
        map_weights: With several hook targets, the weight of each map's term.
            None: they are averaged.
    """

    def __init__(self,
                 loss_weight: float = 1.0,
                 channels: str = 'all',
                 eps: float = 1e-4,
                 resize: str = 'mask',
                 reduction: str = 'batch',
                 absent: str = 'skip',
                 map_weights: Sequence[float] | None = None):
        super().__init__()
        check_choice('channels', channels, CHANNELS)
        check_choice('resize', resize, RESIZES)
        check_choice('reduction', reduction, REDUCTIONS)
        check_choice('absent', absent, ABSENT)
        check_weight('loss_weight', loss_weight)
        check_positive('eps', eps)
        self.loss_weight = loss_weight
        self.channels = channels
        self.eps = eps
        self.resize = resize
        self.reduction = reduction
        self.absent = absent
        self.map_weights = map_weights

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        focus = reduce_images(self.per_image(seen), seen.weight, self.reduction)
        return dict(loss_focus=self.loss_weight * focus, focus=focus.detach())

    def per_image(self, seen: Seen) -> Tensor:
        """Each image's share outside, (B,) in [0, 1]; exactly 0 for the unguided.

        Of a mixed picture, times the guided share of its label.
        """
        maps = seen.maps
        weights = self.map_weights
        if weights is None:
            weights = [1 / len(maps)] * len(maps)
        if len(weights) != len(maps):
            raise ValueError(f'`map_weights` has {len(weights)} values for {len(maps)} '
                             'feature hook targets')
        return sum(
            weight * self._one_map(replace(seen, activation=activation))
            for weight, activation in zip(weights, maps))

    def _one_map(self, seen: Seen) -> Tensor:
        if not seen.parts:
            return self._outside(seen)
        if self.channels == 'all':  # such maps know no labels, so no label's own mask
            return seen.weight * self._outside(seen)
        return sum(
            part.weight * self._outside(seen.of_part(part)) for part in seen.parts)

    def _outside(self, seen: Seen) -> Tensor:
        activation, mask, target = seen.activation, seen.mask, None
        if self.channels == 'per_class':
            activation, mask, target = self._present_classes(seen)
        else:
            if mask.shape[1] > 1:  # one picture's causes, whatever their class
                mask = mask.amax(1, keepdim=True)
            if self.channels == 'target':
                target = self._true_class(seen)
        loss = causal_focus_loss(
            activation,
            mask,
            target=target,
            guided=seen.guided,
            ignore=seen.ignore,
            eps=self.eps,
            resize=self.resize,
            reduction='none')
        if self.channels == 'per_class' and self.absent == 'context':
            absent = 1 - target.sum(1)
            loss = loss + torch.where(seen.guided, absent, torch.zeros_like(absent))
        return loss

    @staticmethod
    def _true_class(seen: Seen) -> Tensor:
        maps, classes = seen.activation.shape[1], seen.cls_score.shape[1]
        if maps != classes:
            raise ValueError(
                f"channels='target' takes the true class's map, but there are {maps} "
                f"maps for {classes} classes: use a CausalFocusHead with mode='class', "
                "or channels='all'")
        if seen.target.dim() == 1:
            return seen.target
        return seen.target / seen.target.sum(1, keepdim=True).clamp(min=1)

    def _present_classes(self, seen: Seen) -> tuple[Tensor, Tensor, Tensor]:
        """Maps and masks of the classes an image has masks for, and their weights."""
        if seen.mask_classes is None:
            raise ValueError(
                "channels='per_class' needs one mask a class, (K, H, W) with their "
                "classes, and the mask source gives one an image: use channels='all' "
                "or 'target', or a source with classes")
        present = seen.mask_classes >= 0  # (B, K)
        index = seen.mask_classes.clamp(min=0)[..., None, None]
        activation = seen.activation.gather(
            1, index.expand(-1, -1, *seen.activation.shape[-2:]))
        if self.absent == 'skip':
            count = present.sum(1, keepdim=True).clamp(min=1)
        else:
            count = seen.activation.shape[1]
        return activation, seen.mask, present / count
