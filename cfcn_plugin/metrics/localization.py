"""How well saliency maps lie on the masks that a person drew."""

from torch import Tensor

from cfcn_plugin.functional.localization import localization
from cfcn_plugin.guidance import MaskBatch
from cfcn_plugin.guidance.guided_saliency import check_finite

from .named_means import GuidedMean


class Localization(GuidedMean):
    """Relevance mass, pointing game and IoU: means over the images with a mask.

    ``energy``, ``energy_by_area``, ``pointing`` and ``iou`` are those of
    :func:`cfcn_plugin.functional.localization.localization`, fractions in [0, 1];
    ``energy`` is the relevance mass (energy-based pointing game). ``dead`` is the
    fraction of images whose saliency map is 0 everywhere, which score 0 in all.
    ``guided`` and ``unguided`` are the counts of images with and without a mask::

        metric = Localization()
        with torch.no_grad():
            with guide:
                logits = model(images)
            step = guide.batch(images, logits, labels, masks)
        metric.update(*guided_saliency(step))    # of cfcn_plugin.guidance
        metric.compute()['energy']
    """

    def __init__(self, **kwargs):
        super().__init__(
            ('energy', 'energy_by_area', 'pointing', 'iou', 'dead'), **kwargs
        )

    def update(self, saliency: Tensor, masks: MaskBatch) -> None:
        """Add images.

        Args:
            saliency: (B, h, w), non-negative: a guided map, or another explanation.
            masks: Of the images, or of the part of them that the map lies on
                (``masks.cropped``).

        Raises:
            ValueError: The shape is wrong, or a saliency map has NaN or infinite
                values.
        """
        if saliency.dim() != 3 or len(saliency) != len(masks.guided):
            raise ValueError(
                f'`saliency` must have shape ({len(masks.guided)}, h, w), one map for '
                f'each image with its masks, got {tuple(saliency.shape)}'
            )
        check_finite(saliency, 'the saliency map')
        values = localization(saliency, masks.mask.amax(1), masks.ignore)
        values['dead'] = (saliency.amax((1, 2)) <= 0).float()
        super().update(values, masks.guided)
