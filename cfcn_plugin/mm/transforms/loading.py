"""Loading the mask of a loaded image."""

from mmcv.transforms import BaseTransform
from mmengine.logging import MMLogger
from mmpretrain.registry import TASK_UTILS

from cfcn_plugin.masks import GrabCut, MaskError, MaskLoader, MaskSource
from cfcn_plugin.masks.errors import ForeignImageError
from cfcn_plugin.masks.mask_query import QueryResult, describe_image
from cfcn_plugin.masks.visibility import mask_fields
from cfcn_plugin.options import check_number
from cfcn_plugin.stock import GOES

# an image without one is neither trained nor measured
LABELS = {'gt_label', 'gt_score'}


class LoadActivationMask(MaskLoader, BaseTransform):
    """Load the human activation mask, right after the image, by a :class:`MaskLoader`.

    A sample without a label is only predicted, as in mmpretrain's inferencers: an image
    that has no mask, or is none of the source's, is unguided whatever ``missing`` says.

    **Required Keys:**

    - img
    - img_path or sample_idx: if there is a gt_label or a gt_score

    **Added Keys:**

    - guided (bool)
    - activation_mask (np.uint8, (H, W) or (K, H, W), {0, 1}): if guided
    - mask_classes (np.int64, (K,)): if the source has one mask a class
    - ignore_mask (np.uint8, (H, W), {0, 1}): if the source has one
    - mask_error (bool): with ``on_error='unguided'``
    - outline_ways (Counter): with ``refine``, ``Refined.ways`` of this image
    - source_positions, causal_area, min_visible: if ``min_visible`` is not 0

    Args:
        source: Mask source, e.g. ``dict(type='PNGMasks', ...)``.
        min_visible: Minimum visible fraction of the object's area, in [0, 1]. A draw
            with a smaller fraction is unguided, and ``PackGuidedInputs`` counts the
            draw as cropped out. 0: one causal pixel is enough.
        refine: Refines coarse marks to outlines, e.g. ``dict(type='GrabCut')``.
        **options: ``image_list``, ``fraction``, ``seed``, ``missing``, ``empty``,
            ``exif``, ``rescale`` and ``on_error`` of :class:`MaskLoader`. With
            ``on_error='unguided'`` the log counts masks that cannot be used
            (``mask_error_fraction``).
    """

    stock = GOES

    def __init__(
        self,
        source: dict | MaskSource,
        min_visible: float = 0.0,
        refine: dict | GrabCut | None = None,
        **options,
    ):
        check_number('min_visible', min_visible, least=0, most=1)
        if isinstance(source, dict):
            source = TASK_UTILS.build(source)
        if isinstance(refine, dict):
            refine = TASK_UTILS.build(refine)
        super().__init__(source, warn=_warn, refine=refine, **options)
        self.min_visible = min_visible

    def transform(self, results: dict) -> dict:
        result = self._ask(results)
        results['guided'] = result is not None and result.kind == 'mask'
        if self.on_error == 'unguided':
            results['mask_error'] = bool(
                result and result.error and not self.is_declared_unguided(result)
            )
        if results['guided']:
            results.update(mask_fields(result.record, self.min_visible))
            if result.ways is not None:
                results['outline_ways'] = result.ways
        return results

    def _ask(self, results: dict) -> QueryResult | None:
        """The answer of the source; None if the sample is not asked for."""
        if LABELS.isdisjoint(results):
            result = self.query(results, _image_shape(results))
            if result.kind == 'missing' or isinstance(result.error, ForeignImageError):
                return None
        if not self.is_sample_chosen(results):
            return None
        return self.load(results, _image_shape(results))

    def __repr__(self):
        names = (
            'image_list_file',
            'fraction',
            'seed',
            'missing',
            'empty',
            'exif',
            'rescale',
            'on_error',
            'min_visible',
        )
        options = [f'{name}={getattr(self, name)!r}' for name in names]
        if self.refine is not None:
            options.append(f'refine={self.refine.refine!r}')
        return (
            f'{type(self).__name__}(source={type(self.source).__name__}, '
            f'{", ".join(options)})'
        )


def _warn(text: str) -> None:
    MMLogger.get_current_instance().warning(text)


def _image_shape(results: dict) -> tuple[int, int]:
    shape = results['img'].shape[:2]
    if shape != tuple(results.get('ori_shape', shape)[:2]):
        raise MaskError(
            f'{describe_image(results)}: the image was already changed from '
            f'{results["ori_shape"][:2]} to {shape}; put LoadActivationMask right '
            'after the image is loaded'
        )
    return shape
