"""Guided Attention Inference Networks with masks (GAIN_ext)."""

import torch.nn.functional as F
from torch import Tensor

from cfcn_plugin.functional import at_least_float32, crop_or_extend
from cfcn_plugin.functional.attribution import (
    class_score,
    grad_cam,
    normalize,
    soft_mask,
)
from cfcn_plugin.options import check_choice, check_flag, check_number

from .guidance import Guidance
from .guidance_batch import GuidanceBatch
from .reduction import REDUCTIONS, masked_mean, reduce_images, zero_unguided

SCORES = ('probability', 'logit')


class GAINLoss(Guidance):
    """Attention mining and pixel supervision of Grad-CAM (GAIN_ext).

    Li et al., "Tell me where to look: Guided attention inference network", CVPR 2018,
    Eq. 1 to 8::

        A^c = ReLU(sum_f w_f A_f),  w_f = mean_jk d s^c / d A_f
        T(A^c) = 1 / (1 + exp(-omega (A^c - sigma)))
        I* = I - T(A^c) * I
        L = L_cl + a L_am + b L_e,  L_am = s^c(I*),  L_e = mean (A^c - mask)^2

    L_cl is the stock loss. L_am takes every image, also those without a mask; L_e
    the guided ones, without pixels that are ignored. Gradients stop at w_f, and flow
    through A^c, through the erased image I*, and through both forward passes.

    A^c is stretched to the image's size bilinearly. The paper writes no
    normalization, and its sigma and L_e need [0, 1]: each map is divided by its
    largest value. Unlike the paper, s^c of L_am is a probability, since a logit has no
    floor (``score='logit'`` is the other reading); and several labels have one map,
    that of their mean score, and one erased image.

    Cost: one more forward pass, with its graph, and the gradient from the score back
    to the map: about twice the time and, on a ResNet-18, 1.25 times the memory of the
    plain step (docs/benchmarks.md).

    Logs ``loss_gain_mining`` and ``loss_gain_mask`` (with their weights in them),
    ``gain_mining`` and ``gain_mask`` (without, detached), and ``active_maps``, the
    fraction of images whose A^c is not 0 everywhere.

    Args:
        mining_weight: a, >= 0 (1 in the paper).
        mask_weight: b, >= 0 (10 in the paper).
        sigma: Threshold of T, in [0, 1].
        omega: Steepness of T, > 0. 10 is our choice: T still has a gradient.
        score: ``'probability'`` or ``'logit'``: s^c of L_am.
        multi_label: Whether probabilities are sigmoids, not a softmax.
        reduction: ``'batch'`` or ``'guided'``, of L_e, as in ``CausalFocusLoss``.

    Raises:
        ValueError: An option is wrong; in a step, the feature hook has several
            targets, or a batch augment has mixed images.
    """

    differentiates = True

    def __init__(
        self,
        mining_weight: float = 1.0,
        mask_weight: float = 10.0,
        sigma: float = 0.5,
        omega: float = 10.0,
        score: str = 'probability',
        multi_label: bool = False,
        reduction: str = 'batch',
    ):
        super().__init__()
        check_number('mining_weight', mining_weight, least=0)
        check_number('mask_weight', mask_weight, least=0)
        check_number('sigma', sigma, least=0, most=1)
        check_number('omega', omega, above=0)
        check_flag('multi_label', multi_label)
        check_choice('score', score, SCORES)
        check_choice('reduction', reduction, REDUCTIONS)
        self.mining_weight = mining_weight
        self.mask_weight = mask_weight
        self.sigma = sigma
        self.omega = omega
        self.score = score
        self.multi_label = multi_label
        self.reduction = reduction

    def forward(self, batch: GuidanceBatch) -> dict[str, Tensor]:
        batch.refuse_mixed(self)
        batch.refuse_several_maps(self)
        saliency, masks = self.attention(batch), batch.masks
        mining = self.mining(batch, saliency)
        difference = masked_mean((saliency - masks.causal) ** 2, masks.known)
        mask = reduce_images(
            zero_unguided(difference, masks.guided), masks.weight, self.reduction
        )
        active_maps = (saliency.detach().amax((1, 2)) > 0).float().mean()
        return dict(
            loss_gain_mining=self.mining_weight * mining,
            loss_gain_mask=self.mask_weight * mask,
            gain_mining=mining.detach(),
            gain_mask=mask.detach(),
            active_maps=active_maps,
        )

    @staticmethod
    def attention(batch: GuidanceBatch) -> Tensor:
        """A^c at the image's size, (B, H, W) in [0, 1]."""
        (gradient,) = batch.model.gradients(class_score(batch.logits, batch.target))
        saliency = grad_cam(batch.maps[0], gradient)
        cells = saliency[0].numel()
        image = batch.images.shape[-2:]
        (lies_on,) = batch.model.covers or [image]
        saliency = F.interpolate(saliency[:, None], size=lies_on, mode='bilinear')[:, 0]
        return normalize(crop_or_extend(saliency, image), cells)

    def mining(self, batch: GuidanceBatch, saliency: Tensor) -> Tensor:
        """L_am, a scalar: the true class's mean score on the erased images."""
        soft = soft_mask(saliency, self.sigma, self.omega)
        erased = batch.images * (1 - soft[:, None])
        scores = at_least_float32(batch.model.classify(erased))
        if self.score == 'probability':
            scores = scores.sigmoid() if self.multi_label else scores.softmax(1)
        return class_score(scores, batch.target).mean()
