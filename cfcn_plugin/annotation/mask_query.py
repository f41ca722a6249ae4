"""Asking for one image's mask, and hearing all that can be said about it."""
import copy
from dataclasses import dataclass

import numpy as np

from cfcn_plugin.masks import MaskRecord, MaskSource
from cfcn_plugin.mm.transforms import LoadActivationMask


@dataclass(frozen=True)
class QueryResult:
    """What there is for an image.

    Attributes:
        kind: ``'mask'``; ``'unchosen'``: the list or fraction leaves the image out;
            ``'missing'``, ``'empty'``, ``'size'``, ``'unusable'``: what is wrong.
        reason: What the training pipeline says where masks must be right.
        record: The mask as it lies on the loaded image; with ``'empty'``, zeros;
            with ``'size'``, as it is, if the source gave it.
    """
    kind: str
    reason: str = ''
    record: MaskRecord | None = None


class MaskQuery:
    """Asks as a training pipeline does, by its own transform, and forgives nothing.

    Args:
        load: The pipeline's transform. Whom it chooses and how masks lie is asked of
            it; its policies for what is missing, empty or broken are not.
    """

    def __init__(self, load: LoadActivationMask):
        self.source = _Heard(load.source)
        self.load = copy.copy(load)
        self.load.source = self.source
        self.load.missing = self.load.empty = 'error'
        self.load.on_error = 'raise'

    def __call__(self, sample: dict, shape: tuple[int, int]) -> QueryResult:
        """The answer for a sample whose image has (H, W) ``shape``."""
        self.source.forget()
        image = np.broadcast_to(np.uint8(0), (*shape, 3))  # only its shape is asked
        try:
            results = self.load.transform(
                {**sample, 'img': image, 'ori_shape': shape})
        except Exception as error:  # one source's bug must not end a survey
            return self._trouble(error, shape)
        if not results['guided']:
            return QueryResult('unchosen')
        return QueryResult('mask', record=MaskRecord(
            results['activation_mask'], self.source.record.file,
            results.get('mask_classes'), results.get('ignore_mask')))

    def _trouble(self, error: Exception, shape: tuple[int, int]) -> QueryResult:
        heard = self.source
        reason = str(error) if isinstance(error, ValueError) else (
            f'{type(error).__name__}: {error}')
        # a message may name the source it asked
        reason = reason.replace(_Heard.__name__, type(heard.source).__name__)
        if heard.shape is None:  # it was not even asked
            return QueryResult('unusable', reason)
        if heard.record is not None:
            if heard.record.mask.shape[-2:] != heard.shape:
                return QueryResult('size', reason, heard.record)
            if not heard.record.mask.any():
                nothing = MaskRecord(np.zeros(shape, np.uint8), heard.record.file)
                return QueryResult('empty', reason, nothing)
        elif heard.error is None:
            return QueryResult('missing', reason)
        elif hasattr(heard.error, 'size'):  # a source that looks at sizes itself
            return QueryResult('size', reason)
        return QueryResult('unusable', reason)


class _Heard:
    """A source whose last question and answer can be looked at."""

    def __init__(self, source: MaskSource):
        self.source = source
        self.data_root = source.data_root
        self.forget()

    def forget(self) -> None:
        self.shape = self.record = self.error = None

    def __call__(self, results: dict) -> MaskRecord | None:
        self.shape = tuple(results['ori_shape'][:2])
        try:
            self.record = self.source(results)
        except Exception as error:
            self.error = error
            raise
        return self.record
