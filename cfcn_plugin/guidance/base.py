"""The contract between a guided model and the ways to guide it."""
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from cfcn_plugin.stock import GOES

from .mask_batch import MixComponent


@dataclass(frozen=True)
class GuidanceBatch:
    """What a guidance method sees of one training step.

    Attributes:
        inputs: (B, 3, H, W), preprocessed images.
        activation: The captured map, (B, F, h, w), with its graph; a tuple of maps
            if the feature hook has several targets.
        cls_score: (B, C) logits with their graph.
        mask: (B, K, H, W), uint8 {0, 1}. K is 1, or the most masks an image has.
            (B, 1, H, W) float in [0, 1] of mixed images: the share that is causal,
            of whichever label.
        ignore: (B, H, W), bool or float in [0, 1].
        guided: (B,) bool, True where a person gave a mask.
        target: (B,) int64 labels, or (B, C) scores.
        mask_classes: (B, K) int64, each plane's class, -1 for none; None if masks are
            not per class.
        classify: The same network on other inputs: nothing is captured, statistics
            of BatchNorm stay untouched.
        components: Of mixed images (Mixup, CutMix ...), what each was mixed from: a
            label's own mask is here. () if they are not mixed.
        covers: Rows and columns of the image that each map lies on, from its top
            left corner. (): all of it.
        features: The maps, as ``maps``, of the same network on other inputs; else as
            ``classify``.
        gradients: Called with (B,) scores of this step, and whether to
            ``create_graph``: their gradients in ``maps``, (B, F, h, w) each.
    """
    inputs: Tensor
    activation: Tensor | tuple[Tensor, ...]
    cls_score: Tensor
    mask: Tensor
    ignore: Tensor | None
    guided: Tensor
    target: Tensor
    mask_classes: Tensor | None = None
    classify: Callable[[Tensor], Tensor] | None = None
    components: tuple[MixComponent, ...] = ()
    covers: tuple[tuple[int, int], ...] = ()
    features: Callable[[Tensor], tuple[Tensor, ...]] | None = None
    gradients: Callable[..., tuple[Tensor, ...]] | None = None

    @property
    def weight(self) -> Tensor:
        """(B,) float: how far each image is guided, 0 to 1."""
        if not self.components:
            return self.guided.float()
        return sum(component.weight for component in self.components)

    @property
    def known(self) -> Tensor:
        """(B, H, W) float in [0, 1]: the share of a pixel that is not ignored."""
        if self.ignore is None:
            return torch.ones_like(self.mask[:, 0], dtype=torch.float32)
        return 1 - self.ignore.float()

    @property
    def causal(self) -> Tensor:
        """(B, H, W) float in [0, 1]: the share known to be causal, of any class."""
        return self.mask.amax(1).float() * self.known

    @property
    def context(self) -> Tensor:
        """(B, H, W) float in [0, 1]: the share known to be context."""
        return self.known - self.causal

    def of_component(self, component: MixComponent) -> 'GuidanceBatch':
        """The same step as if each image were the one of this component alone."""
        return replace(
            self, mask=component.mask, target=component.target, mask_classes=component.classes,
            guided=component.weight > 0, components=())

    def each_map(self) -> list['GuidanceBatch']:
        """The same step for each map alone, with the masks of what the map lies on."""
        image = tuple(self.mask.shape[-2:])
        return [
            self._of_map(*pair)
            for pair in zip(self.maps, self.covers or [image] * len(self.maps))
        ]

    def _of_map(self, activation: Tensor, size: tuple[int, int]) -> 'GuidanceBatch':
        one = replace(self, activation=activation, covers=())
        if size == tuple(self.mask.shape[-2:]):
            return one
        return replace(
            one,
            mask=cut_or_filled(self.mask, size),
            ignore=None if self.ignore is None else cut_or_filled(self.ignore, size),
            components=tuple(replace(component, mask=cut_or_filled(component.mask, size))
                        for component in self.components))

    @property
    def maps(self) -> tuple[Tensor, ...]:
        return (self.activation
                if isinstance(self.activation, tuple) else (self.activation, ))

    def refuse_mixed(self, method: 'Guidance') -> None:
        """Raise a ValueError if images are mixed, for methods that explain one."""
        if self.components:
            raise ValueError(
                f'{type(method).__name__} explains one label an image, and a batch '
                'augment has mixed these: leave Mixup, CutMix and the like out of '
                '`train_cfg.augments` (BackgroundSwap mixes no labels, and may stay)')

    def refuse_several_maps(self, method: 'Guidance') -> None:
        """Raise a ValueError if there are several maps, for methods that take one."""
        if len(self.maps) > 1:
            raise ValueError(
                f'{type(method).__name__} takes one map, and the feature hook has '
                f'{len(self.maps)} targets: name one, as a string')


def cut_or_filled(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Planes (..., H, W) cut to ``size`` from the corner, or their edge repeated."""
    for dim, pixels in zip((-2, -1), size):
        more = pixels - mask.shape[dim]
        if more > 0:
            edge = mask.narrow(dim, mask.shape[dim] - 1, 1)
            shape = list(mask.shape)
            shape[dim] = more
            mask = torch.cat([mask, edge.expand(shape)], dim)
        else:
            mask = mask.narrow(dim, 0, pixels)
    return mask


class Guidance(nn.Module):
    """A way to use masks in training.

    Attributes:
        needs_input_grad: Whether ``seen.inputs`` must require a gradient, which is
            itself differentiated.
        differentiates: Whether it asks for gradients within the step, of
            ``seen.gradients`` or ``seen.inputs``: torch.compile hides them, so that
            the step is then not compiled.
    """
    stock = GOES
    needs_input_grad = False
    differentiates = False

    @abstractmethod
    def forward(self, seen: GuidanceBatch) -> dict[str, Tensor]:
        """The method's terms.

        Returns:
            Scalars: keys with "loss" are optimised, the others logged.
        """
