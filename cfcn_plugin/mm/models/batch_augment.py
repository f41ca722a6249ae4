"""Batch augments mix masks with their images, and remember whose is whose."""
import copy
import inspect
from dataclasses import replace

import numpy as np
import torch
from mmpretrain.models import RandomBatchAugment
from torch import Tensor

from cfcn_plugin.guidance import MixComponent
from cfcn_plugin.guidance.mask_batch import MaskBatch
from cfcn_plugin.mm.random_state import random_state, set_random_state

LEAST = 1e-3  # a smaller share of a mixed pixel is rounding
PROBES, PROBE_SIZE, PROBE_BATCH = 8, 224, 4


class MaskedBatchAugment:
    """A ``RandomBatchAugment`` that takes masks along.

    It draws as the stock one does, and gives what the stock one gives. Of the augment
    that is drawn, one with ``needs_masks = True`` is called as ``(inputs, scores,
    masks)`` and returns all three; any other is called as ``(inputs, scores)``, and
    once more with the same random numbers for the masks (:func:`mix_masks`).

    Args:
        stock: The stock augment, whose choices and probabilities are used.

    Raises:
        ValueError: One of the augments cannot take masks along.
    """

    def __init__(self, stock: RandomBatchAugment):
        self.augments, self.probs = stock.augments, stock.probs
        for augment in self.augments:
            if augment is not None and not _needs_masks(augment):
                check_augment(augment)

    def __call__(self, inputs: Tensor, scores: Tensor, masks: MaskBatch | None):
        """Mix a batch.

        Args:
            inputs: (B, 3, H, W).
            scores: (B, C).
            masks: None if the pipeline loads none.

        Returns:
            All three, mixed.
        """
        augment = self.augments[np.random.choice(len(self.augments), p=self.probs)]
        if augment is None:
            return inputs, scores.float(), masks
        if _needs_masks(augment):
            if masks is None:
                raise ValueError(
                    f'{type(augment).__name__} needs masks: put '
                    "`dict(type='LoadActivationMask', source=...)` into the training "
                    'pipeline')
            return augment(inputs, scores, masks)
        if masks is None:
            return *augment(inputs, scores), None
        unmixed, draw = scores.clone().float(), random_state(inputs.device)
        mixed = augment(inputs, scores)
        after = random_state(inputs.device)
        set_random_state(draw, inputs.device)
        masks = mix_masks(augment, masks, unmixed)
        set_random_state(after, inputs.device)
        return *mixed, masks


def mix_masks(augment, masks: MaskBatch, scores: Tensor) -> MaskBatch:
    """Mix masks by the draw that comes next.

    A mixed image is its own and at most one partner's, x'_i = W_i x_i + V_i x_p(i),
    with W_i + V_i = 1 at each pixel (x_p is moved, where the augment moves it). Which
    one is the partner, and each one's share of the label, are in what becomes of
    one-hot scores: the (B, B) matrix of shares. Two planes tell the components of a mask m
    apart, m itself and m times its image's number n_i::

        s = W_i m_i + V_i m_p,  t = n_i W_i m_i + n_p V_i m_p
        V_i m_p = (t - n_i s) / (n_p - n_i),  W_i m_i = s - V_i m_p

    A plane of ones gives V_i in the same way. m_i = (W_i m_i) / W_i is then the
    component's own mask, where the component lies in the mixture, and 0 elsewhere; what lies
    there is not the cause of its label. Two components with the same label are the same
    cause: each one's mask is then the union of both.

    The image's one mask, for maps that know no labels, is s: Eq. 1 is linear in the
    mask, so its loss is then the mixture of the components' losses, as the mixed label's
    cross entropy is of the labels'. What is known of neither cause nor context, and
    unguided components, is left out by ``ignore``, in the share that it has.

    Args:
        augment: Called as ``(inputs, scores)``, twice with the same random numbers.
        masks: Of the images before they are mixed.
        scores: (B, C), of the images before they are mixed.

    Returns:
        Masks with two :class:`MixComponent` s, the image's own and its partner's.
    """
    batch, count = masks.mask.shape[:2]
    causal = masks.mask.float()
    known = 1 - masks.ignore[:, None].float()
    number = torch.arange(batch, device=causal.device, dtype=causal.dtype)
    own = number.view(-1, 1, 1, 1)
    planes = torch.cat(
        [causal, own * causal, known, own.expand_as(known)], dim=1)
    planes, shares = augment(planes, torch.eye(batch, device=causal.device))
    both, numbered, known, numbers = planes.split([count, count, 1, 1], dim=1)

    off_diagonal = shares - torch.diag(shares.diagonal())
    partner = off_diagonal.argmax(1)
    step = number[partner].view(-1, 1, 1, 1) - own
    step = torch.where(step == 0, 1, step)  # alone: what is divided is 0
    theirs = (numbered - own * both) / step
    ours = both - theirs
    their_share = (numbers - own) / step

    joint = ours.amax(1, keepdim=True) + theirs.amax(1, keepdim=True)
    ours, theirs = _union_of_same(
        _where_it_lies(ours, 1 - their_share), _where_it_lies(theirs, their_share),
        _same_label(masks.classes, scores, partner))
    components = (
        MixComponent(ours, scores, masks.classes, shares.diagonal() * masks.guided),
        MixComponent(theirs, scores[partner],
             None if masks.classes is None else masks.classes[partner],
             off_diagonal.amax(1) * masks.guided[partner]))
    return replace(
        masks,
        # the share of what is known; where nothing is, it does not matter
        mask=(joint / known.clamp(min=1e-6)).clamp(0, 1),
        ignore=1 - known[:, 0].clamp(0, 1),
        guided=(components[0].weight > 0) | (components[1].weight > 0),
        classes=None,
        components=components)


def _where_it_lies(mask: Tensor, share: Tensor) -> Tensor:
    """A component's mask, of its contribution and its share of each pixel."""
    return (mask / share.clamp(min=LEAST)).clamp(0, 1).masked_fill_(share < LEAST, 0)


def _same_label(classes: Tensor | None, scores: Tensor, partner: Tensor) -> Tensor:
    """(B, K, K) bool: whether two planes of the two components show the same label."""
    if classes is None:
        return (scores == scores[partner]).all(1)[:, None, None]
    ours, theirs = classes[:, :, None], classes[partner][:, None, :]
    return (ours == theirs) & (ours >= 0)


def _union_of_same(ours: Tensor, theirs: Tensor, same: Tensor) -> tuple[Tensor, Tensor]:
    same = same.to(ours.dtype)
    # no class has two planes, so that a sum is a choice
    from_them = torch.einsum('bkl,blhw->bkhw', same, theirs)
    from_us = torch.einsum('bkl,bkhw->blhw', same, ours)
    return torch.maximum(ours, from_them), torch.maximum(theirs, from_us)


# ---- which augments can ------------------------------------------------------


def check_augment(augment) -> None:
    """Try an augment on images of which each channel is one image's own.

    What comes out of channel j is what image j has in the mixture. The random
    state, and the augment, are as before.

    Raises:
        ValueError: It is not called as ``(inputs, scores)``, or does otherwise than
            mix each image, in all channels alike, with one other at most.
    """
    draw = random_state()
    try:
        with torch.device('cpu'):  # also where the model is built on none
            problem = _problem(copy.deepcopy(augment))
    finally:
        set_random_state(draw)
    if problem is not None:
        raise ValueError(
            f'the batch augment {type(augment).__name__} cannot take masks along: '
            f'{problem}. Leave it out of `batch_augments` (`train_cfg.augments`), or '
            'give it `needs_masks = True`: it is then called as (inputs, scores, '
            'masks), and returns all three')


def _problem(augment) -> str | None:
    try:
        inspect.signature(augment).bind(None, None)
    except TypeError as error:
        return f'it is not called as (inputs, scores): {error}'
    eye = torch.eye(PROBE_BATCH)
    planes = eye[:, :, None, None].expand(-1, -1, PROBE_SIZE, PROBE_SIZE)
    for _ in range(PROBES):
        try:
            out = augment(planes.clone(), eye.clone())
        except Exception as error:  # an augment may fail in whatever way it likes
            return f'given a small batch it fails: {error!r}'
        shapes = [tuple(getattr(o, 'shape', ())) for o in out]
        if shapes != [tuple(planes.shape), tuple(eye.shape)]:
            return (f'of shapes {[tuple(planes.shape), tuple(eye.shape)]} it made '
                    f'{shapes}')
        images, shares = out
        for what, found in (('pixels', images), ('scores', shares)):
            if not torch.allclose(found.sum(1), torch.ones(()), atol=LEAST):
                return f'its {what} are not a mixture of those that it was given'
        involved = (images.abs() > LEAST).flatten(2).any(2) | (shares > 0)
        if (involved & ~eye.bool()).sum(1).max() > 1:
            return 'it mixes more than two images into one'
    return None


def _needs_masks(augment) -> bool:
    return getattr(augment, 'needs_masks', False)
