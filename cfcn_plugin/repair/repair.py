"""A trained model in, the same model with another last layer out."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain
from typing import cast

import torch
from torch import Tensor, nn

from cfcn_plugin.features.explanations import temporary_evaluation
from cfcn_plugin.options import check_number, check_whole

from .batches import as_batch
from .cross_validation import Fits, RepairReport
from .linear_head import find_linear_head
from .logistic import Linear
from .memory import MemoryCheck
from .views import take_views

# of the data over the penalty; around what did best on Waterbirds, the lowest with tens
# of masks
STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)


def repair(
    model: nn.Module,
    batches: Iterable[Sequence[Tensor]],
    views: int = 4,
    strengths: Sequence[float] = STRENGTHS,
    border: float = 1.0,
    seed: int = 0,
    forward: Callable[[Tensor], Tensor] | None = None,
    memory: float | None = None,
    dry_run: bool = False,
) -> RepairReport:
    """Refit the last linear layer on guided images with other images' backgrounds.

    The network runs ``views + 1`` times over each guided image, once; the layer is
    fitted to the features by logistic regression with balanced classes. Its strength is
    the one with the lowest loss on held-out images with held-out backgrounds; no group
    label is needed. The model keeps its class and its state-dict keys.

    The way is deep feature reweighting (Kirichenko et al., "Last layer re-training is
    sufficient for robustness to spurious correlations", ICLR 2023), where swapped
    backgrounds stand for data without the spurious correlation.

    Args:
        model: A trained classifier that ends in an ``nn.Linear``; changed in place.
        batches: Read once: (images (B, C, H, W) float as the model takes them; targets,
            (B,) int64, or (B, C) in {0, 1} for several labels; masks (B, H, W), above 0
            on the object, or a :class:`.MaskBatch`). Images with a mask of zeros are
            left out. Give each image once, or the held-out images are in the fit, too.
            Batches must be shuffled, since backgrounds come from the batch, and should
            have some tens of guided images.
        views: Other backgrounds for each image, >= 1.
        strengths: Strengths to choose from, > 0; see ``fit_logistic``.
        border: Standard deviation of the object's blurred edge, pixels, >= 0.
        seed: Of the choice of backgrounds.
        forward: From images to logits (B, C). None: ``model``, whose output may have
            the logits as its attribute ``logits``.
        memory: Largest size of all features, bytes. None: half of the machine's memory.
        dry_run: Whether to report only, and leave the model as it is.

    Raises:
        TypeError: The model gives no logits.
        ValueError: The model does not end in a linear layer; there are too few masks, a
            class without any, one of several labels that each guided image has, or
            batches of mostly one class; or the features do not fit in memory.
    """
    _check_options(views, strengths, border, seed, memory)
    count = 1
    with suppress(TypeError):  # a generator, or a loader of a stream
        count = len(batches)  # type: ignore[arg-type]
    read = (batch for batch in map(as_batch, batches) if len(batch.images))
    first = next(read, None)
    if first is None:
        raise ValueError('`batches` is empty: give images, targets and masks')
    forward = _in_precision(model, forward or model)
    # a caller's inference mode would forbid the fit
    with (
        torch.inference_mode(False),
        temporary_evaluation(model),
        torch.compiler.set_stance('force_eager'),
    ):
        device = next((p.device for p in model.parameters()), None)
        head = cast(
            nn.Linear,
            model.get_submodule(
                find_linear_head(model, first.images[:2].to(device), forward)
            ),
        )
        check = MemoryCheck(count, views, head.in_features, head.out_features, memory)
        taken = take_views(
            model, head, chain([first], read), views, border, seed, forward, check
        )
    # a caller's autocast is for the network
    with torch.inference_mode(False), torch.autocast('cpu', enabled=False):
        fits = Fits(taken, head.out_features, head.bias is not None)
        strength, fitted, after = fits.choose(sorted(strengths))
        report = fits.report(strength, _layer(head), after)
    if not dry_run:
        _replace(head, fitted)
    return report


def _check_options(
    views: int,
    strengths: Sequence[float],
    border: float,
    seed: int,
    memory: float | None,
) -> None:
    check_whole('views', views)
    check_whole('seed', seed)
    check_number('border', border, least=0)
    for strength in strengths:
        check_number('strengths', strength)
    if memory is not None:
        check_number('memory', memory, above=0)
    if views < 1 or not strengths or min(strengths) <= 0:
        raise ValueError(
            '`views` must be 1 or more and `strengths` positive, got '
            f'{views} and {strengths}'
        )


def _in_precision(model: nn.Module, forward: Callable) -> Callable:
    """The function in the caller's autocast, whatever the autocast where it is run."""
    kind = next((p.device.type for p in model.parameters()), 'cpu')
    enabled = torch.is_autocast_enabled(kind)
    dtype = torch.get_autocast_dtype(kind)

    def run(images: Tensor):
        with torch.autocast(kind, dtype=dtype, enabled=enabled):
            return forward(images)

    return run


def _layer(head: nn.Linear) -> Linear:
    return Linear(
        *(
            None if one is None else one.detach().float().cpu()
            for one in (head.weight, head.bias)
        )
    )


def _replace(head: nn.Linear, fitted: Linear) -> None:
    with torch.no_grad():
        head.weight.copy_(fitted.weight)
        if head.bias is not None:
            head.bias.copy_(fitted.bias)
