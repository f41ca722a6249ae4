"""Asking a mask source for the mask of the image that was just loaded."""
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.logging import MMLogger
from mmpretrain.registry import TASK_UTILS

from cfcn_plugin.masks import (
    MaskError,
    MaskRecord,
    MaskSizeError,
    MaskSource,
    guidance_rank,
    image_key,
    read_guided_list,
)

from .exif import UPRIGHT, as_stored
from .failures import Failures
from .visibility import causal_pixels, source_positions

POLICIES = ('error', 'unguided')
ON_ERROR = ('raise', 'unguided')
MOST_SAID = 100  # lines on masks in one process


class LoadActivationMask(BaseTransform):
    """Load the human activation mask, right after the image.

    **Required Keys:**

    - img
    - img_path or sample_idx

    **Added Keys:**

    - guided (bool)
    - activation_mask (np.uint8, (H, W) or (K, H, W), {0, 1}): if guided
    - mask_classes (np.int64, (K,)): if the source has one mask a class
    - ignore_mask (np.uint8, (H, W), {0, 1}): if the source has one
    - mask_error (bool): with ``on_error='unguided'``
    - source_positions, causal_area, min_visible: if ``min_visible`` is not 0

    Args:
        source: Mask source, e.g. ``dict(type='PNGMasks', ...)``.
        image_list: File with the keys of the guided images, one a line, as
            ``tools/choose_guided.py`` writes; the others are unguided. None: all.
        fraction: Of the images that are guided, in [0, 1], chosen by a hash of
            ``seed`` and image; a smaller fraction is inside a larger one.
        seed: Seed of that hash.
        missing: ``'error'``: every (chosen) image must have a mask.
            ``'unguided'``: one without is unguided.
        empty: The same for a mask without a causal pixel.
        exif: How masks of photographs with an EXIF orientation lie: False, as the
            loaded image does (what annotation tools show and mmcv loads); True,
            as the file's stored pixels, so that they are turned as mmcv turns
            the image.
        on_error: What happens where a mask cannot be used: it is broken, of another
            size, or missing or empty where that is an error. ``'raise'``: the run ends.
            ``'unguided'``: its image is unguided, counted (``mask_error_fraction`` in
            the log), and named once in each process. Where the first 32 fail, the run
            ends.
        min_visible: Fraction of the object's area, in [0, 1], that a draw must still
            show; below it ``PackGuidedInputs`` makes the draw unguided, and counts it
            with the cropped_out ones. 0: one causal pixel is enough.
    """

    def __init__(self,
                 source: dict | MaskSource,
                 image_list: str | None = None,
                 fraction: float = 1.0,
                 seed: int = 0,
                 missing: str = 'error',
                 empty: str = 'error',
                 exif: bool = False,
                 on_error: str = 'raise',
                 min_visible: float = 0.0):
        for name, value, known in (('missing', missing, POLICIES),
                                   ('empty', empty, POLICIES),
                                   ('on_error', on_error, ON_ERROR)):
            if value not in known:
                raise ValueError(f'`{name}` must be one of {known}, got {value!r}')
        for name, value in (('fraction', fraction), ('min_visible', min_visible)):
            if not 0 <= value <= 1:
                raise ValueError(f'`{name}` must be in [0, 1], got {value}')
        if image_list is not None and fraction != 1:
            raise ValueError(
                'give either `image_list` (an exact list) or `fraction`, not both')
        self.source = (
            TASK_UTILS.build(source) if isinstance(source, dict) else source)
        self.image_list = image_list
        self.listed = None if image_list is None else read_guided_list(image_list)
        self.fraction = fraction
        self.seed = seed
        self.missing = missing
        self.empty = empty
        self.exif = exif
        self.on_error = on_error
        self._failures = Failures(MaskError, 'masks cannot be used')
        self.min_visible = min_visible

    def transform(self, results: dict) -> dict:
        record = None
        if self.on_error == 'unguided':
            results['mask_error'] = False
        if self._is_chosen(results):
            shape = self._shape(results)
            try:
                record = self._load(results, shape)
                self._failures.any_fine = True
            except MaskError as error:
                if self.on_error == 'raise':
                    raise
                self._warn(_name(results), error)
                results['mask_error'] = True
        results['guided'] = record is not None
        if record is not None:
            results['activation_mask'] = record.mask
            if record.classes is not None:
                results['mask_classes'] = record.classes
            if record.ignore is not None:
                results['ignore_mask'] = record.ignore
            if self.min_visible:
                results.update(
                    source_positions=source_positions(record.mask.shape[-2:]),
                    causal_area=np.mean(causal_pixels(results) > 0),
                    min_visible=self.min_visible)
        return results

    def _warn(self, name: str, error: MaskError) -> None:
        count = self._failures.add(name, error)
        logger = MMLogger.get_current_instance()
        if 0 < count <= MOST_SAID:
            logger.warning(f'{name} is unguided: {error}')
        if count == MOST_SAID:
            logger.warning(f'{MOST_SAID} masks cannot be used in this process, more '
                           'are not named: see `mask_error_fraction`')

    def chooses(self, key: str) -> bool:
        """Whether the image of this key is one that is to be guided."""
        if self.listed is not None:
            return key in self.listed
        return self.fraction == 1 or guidance_rank(key, self.seed) < self.fraction

    def _is_chosen(self, results: dict) -> bool:
        if (self.listed, self.fraction, self.on_error) == (None, 1, 'raise'):
            return True
        # an image that is not below the data root is no bad file, and raises here
        return self.chooses(image_key(results, self.source.data_root))

    @staticmethod
    def _shape(results: dict) -> tuple[int, int]:
        shape = results['img'].shape[:2]
        if shape != tuple(results.get('ori_shape', shape)[:2]):
            raise MaskError(
                f'{_name(results)}: the image was already changed from '
                f'{results["ori_shape"][:2]} to {shape}; put LoadActivationMask right '
                'after the image is loaded')
        return shape

    def _load(self, results: dict, shape: tuple[int, int]) -> MaskRecord | None:
        turn, size = as_stored(results) if self.exif else (1, None)
        if turn > 4 and shape == size != size[::-1]:
            raise MaskError(
                f'{_name(results)} has an EXIF orientation and was loaded without it, '
                'and `exif=True` would turn its mask alone: load it with '
                "color_type='color' and imdecode_backend='cv2', or without `exif`")
        stored = shape[::-1] if turn > 4 else shape
        try:
            record = self.source({**results, 'ori_shape': stored})
        except MaskSizeError as error:
            raise self._wrong_size(
                error.file, error.size, stored, results) from error
        if record is None:
            if self.missing == 'unguided':
                return None
            raise MaskError(
                f'{_name(results)} has no mask in {type(self.source).__name__}: add '
                'it, or declare images without a mask unguided with '
                "`missing='unguided'`")
        if record.mask.shape[-2:] != stored:
            raise self._wrong_size(
                record.file, record.mask.shape[-2:], stored, results)
        _check_record(record)
        if not record.mask.any():
            if self.empty == 'unguided':
                return None
            raise MaskError(
                f"mask '{record.file}' has no causal pixel: correct it, or declare "
                "such images unguided with `empty='unguided'`")
        upright = UPRIGHT[turn]
        return MaskRecord(
            np.ascontiguousarray(upright(record.mask)), record.file, record.classes,
            None if record.ignore is None else np.ascontiguousarray(
                upright(record.ignore)))

    def _wrong_size(self, file: str, size: tuple, shape: tuple,
                    results: dict) -> MaskError:
        remedy = 'make the mask at the size of its image'
        turn, file_size = (
            as_stored(results) if size == shape[::-1] else (1, None))
        if turn > 4:
            # the mask lies as the image's stored pixels, or as a person sees it
            if self.exif:
                remedy = ('the image has an EXIF orientation, and the mask lies as '
                          'it is seen: leave `exif=True` out')
            elif size == file_size:
                remedy = ('the image has an EXIF orientation and the mask lies as '
                          'its stored pixels: set `exif=True`')
            else:
                remedy = ('the image has an EXIF orientation and was loaded without '
                          "it: load it with color_type='color' and "
                          "imdecode_backend='cv2'")
        return MaskError(f"mask '{file}' has height and width {size}, its image "
                         f'{_name(results)} has {shape}: {remedy}')

    def __repr__(self):
        return (f'{type(self).__name__}(source={type(self.source).__name__}, '
                f'image_list={self.image_list!r}, fraction={self.fraction}, '
                f'seed={self.seed}, missing={self.missing!r}, empty={self.empty!r}, '
                f'exif={self.exif}, '
                f'on_error={self.on_error!r}, min_visible={self.min_visible})')


def _check_record(record: MaskRecord) -> None:
    """What a mask source gives is what :class:`MaskRecord` says; sources are users'.

    Raises:
        MaskError: It is something else, which training would take for context.
    """
    for name in ('mask', 'ignore'):
        values = getattr(record, name)
        if values is not None and (values.dtype.kind not in 'bui'
                                   or values.min() < 0 or values.max() > 1):
            raise MaskError(
                f"mask '{record.file}': `{name}` of its MaskRecord must be 0 and 1, "
                f'uint8 or bool, got {values.dtype} from {values.min()} to '
                f'{values.max()}')
    classes = record.classes
    if classes is not None and (
            classes.dtype.kind not in 'ui' or classes.min(initial=0) < 0
            or record.mask.ndim != 3 or len(classes) != len(record.mask)):
        raise MaskError(
            f"mask '{record.file}': `classes` of its MaskRecord must be one whole "
            f'number from 0 for each plane of a (K, H, W) mask, got {classes!r} for a '
            f'mask of shape {record.mask.shape}')


def _name(results: dict) -> str:
    return f"image '{results.get('img_path') or results.get('sample_idx')}'"
