"""How much a classifier's answer rests on the background, without a mask."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cfcn_plugin.features import FeatureHook
from cfcn_plugin.features.explanations import temporary_evaluation
from cfcn_plugin.functional.compositing import without_object
from cfcn_plugin.functional.localization import reduce_channels
from cfcn_plugin.repair.linear_head import as_logits
from cfcn_plugin.visualization.heatmaps import resize_maps

OBJECT = 0.25  # of the image's area


class ContextScore(NamedTuple):
    """A classifier's answers with and without the likely object.

    Attributes:
        whole: (B,) log-odds of the answer, the class of the highest score.
        context: (B,) log-odds of the same class without the likely object. The higher,
            the more the background alone gives the answer.
        objects: (B, H, W) bool, the likely object.
    """

    whole: Tensor
    context: Tensor
    objects: Tensor


def context_score(
    model: nn.Module,
    images: Tensor,
    forward: Callable[[Tensor], Tensor] | None = None,
    several: bool = False,
) -> ContextScore:
    """Ask a classifier again after its likely object was removed.

    The likely object is the quarter of the image where the rectified last map is
    largest in the mean over its channels: what the network responds to, whatever the
    class. It is filled with the colours around it (:func:`.without_object`). Where a
    network responds to the background, the background is removed, and the score is
    too low.

    Args:
        model: A classifier; its mode, hooks and gradients are afterwards as before.
        images: (B, C, H, W), as the model takes them.
        forward: From images to logits (B, C). None: ``model``, whose output may have
            the logits as its attribute ``logits``.
        several: Whether a class is a yes or no of its own (several labels).

    Raises:
        TypeError: The model gives no logits.
        ValueError: No layout of the model's maps is known.
    """
    forward = forward or model
    hook = FeatureHook().attach(model)
    try:
        with temporary_evaluation(model), torch.no_grad():
            with hook:
                logits = as_logits(forward(images)).float()
                captured = hook.captured()
            maps = captured.maps(images)
            saliency = resize_maps(
                reduce_channels(maps[-1].float())[:, None],
                captured.covers(maps, images)[-1],
                tuple(images.shape[-2:]),
            )[:, 0]
            objects = largest_part(saliency, OBJECT)
            filled = without_object(images.float(), objects).to(images.dtype)
            without = as_logits(forward(filled)).float()
    finally:
        hook.detach()
    answer = logits.argmax(1, keepdim=True)
    return ContextScore(
        _log_odds(logits, answer, several), _log_odds(without, answer, several), objects
    )


def largest_part(saliency: Tensor, fraction: float) -> Tensor:
    """The pixels of the largest saliency, (B, H, W) bool; none of a dead map.

    Args:
        saliency: (B, H, W), non-negative.
        fraction: Of the image's area, in [0, 1].
    """
    flat = saliency.flatten(1)
    best = flat.topk(round(fraction * flat.shape[1])).indices
    part = torch.zeros_like(flat, dtype=torch.bool).scatter(1, best, True)
    return (part & (flat > 0)).view_as(saliency)


def _log_odds(logits: Tensor, answer: Tensor, several: bool) -> Tensor:
    own = logits.gather(1, answer)
    if not several:
        own = own - logits.scatter(1, answer, -torch.inf).logsumexp(1, keepdim=True)
    return own[:, 0]
