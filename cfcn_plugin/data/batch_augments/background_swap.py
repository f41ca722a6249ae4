"""The object on another image's background, in the batch."""

import torch
from torch import Tensor

from cfcn_plugin.functional.compositing import HOLES, swap_within_batch
from cfcn_plugin.guidance.mask_batch import MaskBatch
from cfcn_plugin.guidance.step_checks import check_masks
from cfcn_plugin.options import check_choice, check_number
from cfcn_plugin.stock import GOES


class BackgroundSwap:
    """Paste an object by its mask on the context of another image of the batch::

        x_i' = A_i x_i + (1 - A_i) c(x_j),  y_i' = y_i

    for an image x_i with mask A_i (its edge blurred) and label y_i, so that the
    background says nothing of the label. The images are those of Mixed-Rand of Xiao et
    al., "Noise or signal: the role of image backgrounds in object recognition",
    ICLR 2021, who tested by them; here they train.

    The other image is a guided one, chosen at random, whose object is removed
    (:func:`cfcn_plugin.functional.compositing.without_object`). Unguided images, and
    those whose mask is empty or covers the image, neither change nor give their
    context. Ignored pixels go with the object and stay ignored.

    For ``train_cfg=dict(augments=...)`` of a guided model, alone or beside others; or
    called as ``(images, labels, masks)`` in any loop, labels of any kind.

    Args:
        prob: Probability that a guided image gets another background, [0, 1]. Below 1
            the background tells the class in some draws, and the network uses it.
        border: Standard deviation of the object's blurred edge, pixels, >= 0.
        hole: What is filled in the image that gives its context: its object by the
            ``'mask'``, or the ``'box'`` around the mask, for outlines that may lack a
            part of the object, such as those of ``refine``.
    """

    stock = GOES

    def __init__(self, prob: float = 1.0, border: float = 2.0, hole: str = 'mask'):
        check_number('prob', prob, least=0, most=1)
        check_number('border', border, least=0)
        check_choice('hole', hole, HOLES)
        self.hole = hole
        self.prob = prob
        self.border = border

    def __call__(
        self, inputs: Tensor, labels: Tensor, masks: MaskBatch
    ) -> tuple[Tensor, Tensor, MaskBatch]:
        """Swap backgrounds of images (B, C, H, W), floating point.

        Raises:
            TypeError: The masks are no :class:`MaskBatch`.
            ValueError: The images are no floating point numbers, or masks do not fit
                the images.
        """
        if not inputs.is_floating_point():
            raise ValueError(
                f'expected floating-point images, as the model takes them, got '
                f'{inputs.dtype}: swap after the images are normalised'
            )
        check_masks(masks, inputs)
        order, chance = torch.rand(2, len(inputs)).to(inputs.device)
        pasted, _ = swap_within_batch(
            inputs, masks.objects, masks.guided, order, self.border, self.hole
        )
        chosen = (chance < self.prob).view(-1, 1, 1, 1)
        inputs = torch.where(chosen, pasted, inputs)
        return inputs, labels, masks
