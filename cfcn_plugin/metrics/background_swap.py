"""Accuracy on other backgrounds, and on backgrounds alone, by the user's masks."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from cfcn_plugin.features.explanations import temporary_evaluation
from cfcn_plugin.functional.compositing import (
    HOLES,
    has_object_and_context,
    hole_of,
    swap_background,
    without_object,
)
from cfcn_plugin.functional.correctness import is_right, label_rows
from cfcn_plugin.functional.other_images import CONDITIONS, WHICH, choose_others
from cfcn_plugin.guidance import MaskBatch
from cfcn_plugin.guidance.class_scores import class_scores
from cfcn_plugin.guidance.step_checks import check_masks
from cfcn_plugin.options import check_choice, check_number, check_whole

from .named_means import NamedMeans


class BackgroundSwapAccuracy(NamedMeans):
    """Accuracy in percent on the images unchanged and in other conditions::

        metric = BackgroundSwapAccuracy(num_classes=10)
        for images, labels, masks in loader:
            metric.update(answers_on_swapped(model, images, labels, masks), labels)
        metric.compute()['gap']

    ``original`` and each condition of :func:`answers_on_swapped` that an image has; and

    - ``gap``: same class minus other class, of images that have both (BG-Gap, Xiao et
      al. 2021, "Noise or Signal").
    - ``changed``: of images whose correctness differs between ``original`` and
      ``other_class``.
    - ``harmonic_accuracy``: the harmonic mean of the accuracies on ``original`` and
      ``other_class``, each class counted equally, of images that have both.
    - ``images``: how many images have a mask that leaves a background.

    Args:
        num_classes: The number of classes.
        **kwargs: As in every metric of torchmetrics.

    Raises:
        ValueError: ``num_classes`` is no whole number above 0.
    """

    def __init__(self, num_classes: int, **kwargs):
        check_whole('num_classes', num_classes, least=1)
        self.num_classes = num_classes
        both = [(which, 'of both') for which in WHICH]
        classes = [
            (name, index)
            for name in ('original', 'other_class')
            for index in range(num_classes)
        ]
        super().__init__(
            ('original', *CONDITIONS, *both, 'changed', *classes), scale=100.0, **kwargs
        )
        self.add_state('images', torch.tensor(0.0), dist_reduce_fx='sum')

    def update(self, answers: Mapping[str, Tensor], target: Tensor) -> None:
        """Add images.

        Args:
            answers: ``original`` and the name of each condition: (B,) floating point, 1
                if the answer is right and 0 if it is wrong; NaN if the image does not
                have the condition, or no mask.
            target: (B,) int64 labels, or (B, C) in {0, 1} for several labels.

        Raises:
            ValueError: There is a condition of another name, or a shape is wrong.
        """
        for name in answers:
            check_choice('answers', name, ('original', *CONDITIONS))
        original = answers['original']
        columns = [
            answers.get(name, original.new_full(original.shape, torch.nan))
            for name in ('original', *CONDITIONS)
        ]
        _, other, same, *_ = columns
        both = [one + 0 * rest for one, rest in ((other, same), (same, other))]
        rows = label_rows(target, self.num_classes)
        if len(rows) != len(original):
            raise ValueError(f'`target` has {len(rows)} images, not {len(original)}')
        swapped = torch.stack([original + 0 * other, other], 1)  # (B, 2)
        of_class = swapped[..., None].where(rows[:, None] > 0, torch.nan)
        values = torch.cat(
            [
                torch.stack([*columns, *both, (original - other).abs()], 1),
                of_class.flatten(1),
            ],
            1,
        )
        super().update(values, ~values.isnan())
        self.images += (~original.isnan()).sum()

    def compute(self) -> dict[str, Tensor]:
        """Percent, of what images have; and the number of images."""
        means = super().compute()
        found = {
            name: means[name] for name in ('original', *CONDITIONS) if name in means
        }
        other, same = (means.get((which, 'of both')) for which in WHICH)
        if same is not None:
            found['gap'] = same - other
        if 'changed' in means:
            found['changed'] = means['changed']
        classes = [
            [
                means[name, index]
                for index in range(self.num_classes)
                if (name, index) in means
            ]
            for name in ('original', 'other_class')
        ]
        if classes[0]:
            a, b = (torch.stack(one).mean() for one in classes)
            found['harmonic_accuracy'] = 2 * a * b / (a + b).clamp(min=1e-9)
        return {**found, 'images': self.images}


@torch.no_grad()
def answers_on_swapped(
    model: nn.Module,
    images: Tensor,
    target: Tensor,
    masks: MaskBatch,
    conditions: Sequence[str] = (*WHICH, 'no_object'),
    border: float = 2.0,
    hole: str = 'mask',
    grey: float = 0.0,
    seed: int = 0,
    forward: Callable[[Tensor], Tensor] | None = None,
) -> dict[str, Tensor]:
    """Whether a model is right on images with object or background exchanged.

    Backgrounds come from other guided images of the batch: shuffle a test set once,
    with a fixed seed, so that each batch has several classes. The model's mode is
    afterwards as it was.

    Args:
        model: A classifier.
        images: (B, 3, H, W), as the model takes them.
        target: (B,) int64 labels, or (B, C) in {0, 1} for several labels.
        masks: Of the images.
        conditions: ``'other_class'``, ``'same_class'``: the object on the background of
            an image of another class, or of another image of its class.
            ``'no_background'``: the object on grey. ``'no_object'``: the object filled
            by its surroundings. Each is one more forward pass.
        border: Standard deviation of the object's blurred edge, pixels, >= 0.
        hole: What is filled where an object is removed: ``'mask'``, or the ``'box'``
            around the mask, for outlines that may lack a part of the object.
        grey: The value of grey in ``images``; 0 is the mean colour of images that were
            normalised by their mean.
        seed: Of the choice of backgrounds.
        forward: From images to class scores (B, C), or to an output with them as
            ``logits``. None: ``model``.

    Returns:
        For ``original`` and each condition (B,) float32: 1 right, 0 wrong, NaN where
        the image has no mask that leaves a background, or the batch no other image.

    Raises:
        TypeError: The model gives no class scores, or masks are no :class:`MaskBatch`.
        ValueError: An option has a wrong value, masks do not fit the images, labels do
            not fit the scores, or a score is NaN.
    """
    for condition in conditions:
        check_choice('conditions', condition, CONDITIONS)
    check_number('border', border, least=0)
    check_choice('hole', hole, HOLES)
    check_number('grey', grey)
    check_whole('seed', seed)
    check_masks(masks, images)
    usable = masks.guided & has_object_and_context(masks.objects)
    usable = usable.nonzero().flatten()
    found = {
        name: torch.full((len(images),), torch.nan, device=images.device)
        for name in ('original', *conditions)
    }
    images, objects, labels = images[usable], masks.objects[usable], target[usable]
    generator = torch.Generator().manual_seed(seed)

    def in_condition(name: str) -> tuple[Tensor, Tensor]:
        """The indices of images that have the condition, and the images in it."""
        every = torch.arange(len(images), device=images.device)
        if name == 'original':
            return every, images
        if name == 'no_object':
            return every, without_object(images, hole_of(objects, hole), border)
        if name == 'no_background':
            return every, swap_background(
                images,
                objects,
                torch.full_like(images, grey),
                torch.zeros_like(objects),
                border,
            )
        which, others = (
            one.to(images.device)
            for one in choose_others(labels.cpu(), name, generator)
        )
        return which, swap_background(
            images[which],
            objects[which],
            images[others],
            hole_of(objects, hole)[others],
            border,
        )

    with temporary_evaluation(model):
        for name in found:
            which, changed = in_condition(name)
            if len(which):
                scores = class_scores((forward or model)(changed))
                found[name][usable[which]] = is_right(scores, labels[which]).float()
    return found
