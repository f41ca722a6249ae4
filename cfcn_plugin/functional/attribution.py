"""Attribution: explanations of a class score as plain functions of tensors.

Gradients are arguments: the functions ask for none themselves.
"""

import torch
from torch import Tensor

from .precision import at_least_float32

DEAD = 1e-6  # of a score: a map whose brightest cell tells no more explains nothing


def class_score(scores: Tensor, target: Tensor) -> Tensor:
    """Each image's score of its true class.

    Args:
        scores: (B, C), logits or probabilities.
        target: (B,) int64 labels, or (B, C) scores >= 0: several labels count by
            their fraction.

    Returns:
        (B,); 0 for an image without a label.
    """
    if target.dim() == 1:
        return scores.gather(1, target[:, None])[:, 0]
    fraction = target / target.sum(1, keepdim=True).clamp(min=1e-12)
    return (scores * fraction).sum(1)


def channel_weights(gradient: Tensor) -> Tensor:
    """How much each channel matters to a class, for it or against it::

        v_f = |w_f| / sum_f |w_f|,  w_f = 1 / (h w) * sum_jk (d score / d A_f)_jk

    with Grad-CAM's w_f.

    Args:
        gradient: Of the class score in a map, (B, F, h, w).

    Returns:
        (B, F) >= 0, of sum 1, at least float32. Where none matters, all do alike.
    """
    weight = _channel_means(gradient).abs()
    total = weight.sum(1, keepdim=True)
    alike = torch.full_like(weight, 1 / weight.shape[1])
    return torch.where(total > 0, weight / total.clamp(min=1e-30), alike)


def grad_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM (Selvaraju et al. 2017, Eq. 1 and 2)::

        w_f = 1 / (h w) * sum_jk (d score / d A_f)_jk
        L = ReLU(sum_f w_f A_f)

    Args:
        activation: Feature maps A_f, (B, F, h, w).
        gradient: Of the class score in them, same shape. Detached, the weights w_f
            are constants.

    Returns:
        (B, h, w) >= 0, at least float32.
    """
    with torch.autocast(activation.device.type, enabled=False):
        activation = at_least_float32(activation)
        weight = _channel_means(gradient).to(activation.dtype)
        return torch.einsum('bf,bfhw->bhw', weight, activation).relu()


def input_x_gradient(images: Tensor, gradient: Tensor) -> Tensor:
    """Input times gradient (Shrikumar et al. 2016)::

        relu(sum_c x_c * d score / d x_c)

    Args:
        images: x, (B, C, H, W), preprocessed; c runs over their colours.
        gradient: Of the class score in the images, same shape.

    Returns:
        (B, H, W) >= 0, at least float32.
    """
    return at_least_float32((images * gradient).sum(1).relu())


def faintest(cells: int) -> float:
    """The largest value up to which a Grad-CAM map of so many cells is dead.

    w_f is a mean over cells, so that the same evidence on more cells is fainter.
    """
    return DEAD / cells


def normalize(saliency: Tensor, cells: int) -> Tensor:
    """Each image's map over its largest value: (B, h, w) >= 0 to [0, 1].

    A dead map (:func:`faintest`) stays near 0.

    Args:
        saliency: Grad-CAM, also stretched to another size.
        cells: h w of the map before that.
    """
    return saliency / saliency.amax((1, 2), keepdim=True).clamp(min=faintest(cells))


def soft_mask(saliency: Tensor, sigma: float, omega: float) -> Tensor:
    """What GAIN erases: T(A) = 1 / (1 + exp(-omega (A - sigma))) (Li et al., Eq. 4).

    Args:
        saliency: A in [0, 1], any shape.
        sigma: Threshold, where T is 1/2.
        omega: Steepness.
    """
    return torch.sigmoid(omega * (saliency - sigma))


def _channel_means(gradient: Tensor) -> Tensor:
    return at_least_float32(gradient).mean((2, 3))
