"""One training step, as a guidance method sees it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from .mask_batch import MaskBatch, MixComponent


@dataclass(frozen=True)
class ModelView:
    """What a guidance method may ask of the model in the step.

    Attributes:
        classify: (B, 3, H, W) images to (B, C) logits, by the same network. Nothing is
            captured, and the statistics of BatchNorm stay as they are.
        features: (B, 3, H, W) images to their maps, a tuple of (B, F, h, w); else as
            ``classify``.
        gradients: ``gradients(score, create_graph=False)``: the gradients of the (B,)
            scores of this step in each map, a tuple of (B, F, h, w).
        covers: Rows and columns of the image that each map lies on, from the image's
            top left corner. (): all of the image.
    """

    classify: Callable[[Tensor], Tensor] | None = None
    features: Callable[[Tensor], tuple[Tensor, ...]] | None = None
    gradients: Callable[..., tuple[Tensor, ...]] | None = None
    covers: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class GuidanceBatch:
    """What a guidance method gets of one training step.

    Attributes:
        images: (B, 3, H, W), preprocessed.
        maps: The captured maps, one for each target of the feature hook, each
            (B, F, h, w) with its graph.
        logits: (B, C), with their graph.
        target: (B,) int64 labels, or (B, C) scores.
        masks: The masks of the batch.
        model: What can be asked of the model.
    """

    images: Tensor
    maps: tuple[Tensor, ...]
    logits: Tensor
    target: Tensor
    masks: MaskBatch
    model: ModelView

    def of_component(self, component: MixComponent) -> 'GuidanceBatch':
        """The step as if each image were this component of the mixture alone."""
        return replace(
            self, target=component.target, masks=self.masks.of_component(component)
        )

    def each_map(self) -> list['GuidanceBatch']:
        """The step for each map alone, with the masks of what the map lies on."""
        whole = [tuple(self.masks.mask.shape[-2:])] * len(self.maps)
        model = replace(self.model, covers=())  # by which the masks are cut now
        return [
            replace(self, maps=(one,), masks=self.masks.cropped(size), model=model)
            for one, size in zip(self.maps, self.model.covers or whole)
        ]

    def refuse_mixed(self, method: object) -> None:
        """Raise a ValueError if images are mixed, for methods of one label an image."""
        if self.masks.components:
            raise ValueError(
                f'{type(method).__name__} explains one label an image, and a batch '
                'augment has mixed these images: leave Mixup, CutMix and the like out '
                'of `train_cfg.augments` (BackgroundSwap mixes no labels and may stay)'
            )

    def refuse_several_maps(self, method: object) -> None:
        """Raise a ValueError if there are several maps, for a method that takes one."""
        if len(self.maps) > 1:
            raise ValueError(
                f'{type(method).__name__} takes one map, and the feature hook has '
                f'{len(self.maps)} targets: name one, as a string'
            )
