"""The object on another image's background, in the batch."""
import torch
from torch import Tensor

from cfcn_plugin.functional.compositing import bounding_box, swap_background
from cfcn_plugin.guidance.mask_batch import MaskBatch
from cfcn_plugin.options import check_choice, check_number
from cfcn_plugin.stock import GOES

HOLES = ('mask', 'box')


class BackgroundSwap:
    """Paste an object by its mask on the context of another image of the batch::

        x_i' = A_i x_i + (1 - A_i) c(x_j),  y_i' = y_i

    for an image x_i with mask A_i (its edge blurred) and label y_i, so that the
    background says nothing of the label. The images are those of Mixed-Rand of Xiao et
    al., "Noise or signal: the role of image backgrounds in object recognition",
    ICLR 2021, who tested by them; here they train.

    The other image is a guided one, chosen at random, whose object is removed
    (:func:`cfcn_plugin.functional.compositing.without_object`). Unguided images neither
    change nor give their context. Ignored pixels go with the object and stay ignored.

    For ``train_cfg=dict(augments=...)`` of a guided model, alone or beside others; or
    called as ``(images, labels, masks)`` in any loop, labels of any kind.

    Args:
        prob: Probability that a guided image gets another background, [0, 1].
        border: Standard deviation of the object's blurred edge, pixels, >= 0.
        hole: What is filled in the image that gives its context: its object by the
            ``'mask'``, or the ``'box'`` around the mask, for outlines that may lack a
            part of the object, such as those of ``refine``.
    """
    stock = GOES

    def __init__(self, prob: float = 0.5, border: float = 2.0, hole: str = 'mask'):
        check_number('prob', prob, least=0, most=1)
        check_number('border', border, least=0)
        check_choice('hole', hole, HOLES)
        self.hole = hole
        self.prob = prob
        self.border = border

    def __call__(self, inputs: Tensor, labels: Tensor,
                 masks: MaskBatch) -> tuple[Tensor, Tensor, MaskBatch]:
        order, chance = torch.rand(2, len(inputs)).to(inputs.device)
        other = pick_other_guided(masks.guided, order)
        own = torch.arange(len(inputs), device=inputs.device)
        swapped = masks.guided & (other != own) & (chance < self.prob)
        objects = (masks.mask > 0).any(1) | (masks.known < 1)
        holes = bounding_box(objects) if self.hole == 'box' else objects
        pasted = swap_background(
            inputs, objects, inputs[other], holes[other], self.border)
        inputs = torch.where(swapped.view(-1, 1, 1, 1), pasted, inputs)
        return inputs, labels, masks


def pick_other_guided(guided: Tensor, order: Tensor) -> Tensor:
    """(B,) int64: for each guided image the next guided one in a random order.

    A single guided image has itself. Values of unguided images have no meaning.

    Args:
        guided: (B,) bool.
        order: (B,) random numbers in [0, 1).
    """
    ranked = torch.where(guided, order, 1).argsort()  # the guided ones first
    rank = ranked.argsort()
    count = guided.sum().clamp(min=1)
    return ranked[(rank + 1) % count]
