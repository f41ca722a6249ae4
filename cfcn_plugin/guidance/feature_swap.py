"""Another image's context for each object, in an early map of the network."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from cfcn_plugin.features import FeatureHook
from cfcn_plugin.functional.compositing import HOLES, swap_cells
from cfcn_plugin.options import check_choice

from .mask_batch import MaskBatch

OUTSIDE = -1  # of any backward pass


class FeatureSwap:
    """Swaps the context of guided images in a map, in the place of their pixels::

        swap = FeatureSwap('blocks.2').attach(model)
        for images, labels, masks in loader:
            with swap(masks):
                logits = model(images)

    In each forward pass inside the block, each guided image's cells outside of its
    object become those of another guided image of the batch, see
    :func:`cfcn_plugin.functional.compositing.swap_cells`. Outside of a block the model
    is as it was; it gets no parameter.

    Args:
        target: Dotted name of a module that gives an early map, (B, F, h, w),
            (B, h, w, F) or (B, L, F), best one whose cells are about 8 pixels apart.
            Cells of late maps have seen the whole image.
        hole: What of the other image is not context: its object by the ``'mask'``, or
            the ``'box'`` around the mask, for outlines that may lack a part of the
            object, such as those of ``refine``.

    Raises:
        ValueError: ``hole`` has another value.
        TypeError: ``target`` is not a name.
    """

    def __init__(self, target: str, hole: str = 'mask'):
        if not isinstance(target, str) or target == 'auto':
            raise TypeError(
                '`target` must be the dotted name of a module with an early map, such '
                f"as 'layer2' of a ResNet, got {target!r}"
            )
        check_choice('hole', hole, HOLES)
        self.target = target
        self.hole = hole
        self._masks: MaskBatch | None = None
        self._runs = 0

    def attach(self, model: nn.Module) -> 'FeatureSwap':
        """Register on the target.

        Raises:
            ValueError: The target does not exist; the message lists what does.
        """
        hook = FeatureHook(self.target).attach(model)
        hook.detach()
        (self.layout,) = hook.layouts
        self.handle = model.get_submodule(self.target).register_forward_hook(self._swap)
        return self

    @contextmanager
    def __call__(self, masks: MaskBatch) -> Iterator[None]:
        """Swap in the forward passes of this block, all by the same draw.

        Args:
            masks: Of the images that the model is given.

        Raises:
            ValueError: The masks are not of the images, or the target gives no map.
            RuntimeError: The target did not run, or ran again after the block, for a
                backward pass.
        """
        self._order = torch.rand(len(masks.guided)).to(masks.guided.device)
        self._masks, self._runs = masks, 0
        try:
            yield
            if not self._runs:
                raise RuntimeError(
                    f"'{self.target}' did not run in this block, so that nothing was "
                    'swapped: run the model inside of the block'
                )
        finally:
            self._masks = None

    @torch.compiler.disable
    def _swap(self, module: nn.Module, args, output) -> Tensor | None:
        masks = self._masks
        if masks is None:
            if torch._C._current_graph_task_id() != OUTSIDE:
                raise RuntimeError(
                    f"'{self.target}' is computed again in the backward pass, by "
                    'activation checkpointing, where it would not be swapped: name a '
                    '`target` outside of what is checkpointed, or run `backward` in '
                    'the block'
                )
            return None
        if not isinstance(output, Tensor):
            raise ValueError(
                f"'{self.target}' gives {type(output).__name__}, not one map: name "
                'another `target`'
            )
        if len(output) != len(masks.guided):
            raise ValueError(
                f'masks of {len(masks.guided)} images, and maps of {len(output)}: give '
                'the masks of the images'
            )
        self._runs += 1
        image = masks.mask.shape[-2:]
        maps = self.layout.to_nchw(output, image)
        swapped = swap_cells(maps, masks.objects, masks.guided, self._order, self.hole)
        return self.layout.from_nchw(swapped, output, image)
