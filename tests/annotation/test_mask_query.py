"""Every kind of answer, whatever the pipeline would forgive."""
import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.annotation.mask_query import MaskQuery
from cfcn_plugin.masks import MaskError, MaskRecord, MaskSource
from cfcn_plugin.mm.transforms import LoadActivationMask

SHAPE = (4, 6)
MASK = np.eye(4, 6, dtype=np.uint8)


class Says(MaskSource):
    """Answers with what it is given, or raises it."""

    def __init__(self, answer):
        super().__init__('/here')
        self.answer = answer

    def __call__(self, results):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def keys(self):
        return []

    def check(self):
        pass


def answer(given, sample=None, shape=SHAPE, **options):
    load = LoadActivationMask(source=Says(given), **options)
    return MaskQuery(load)(sample or dict(sample_idx=0), shape)


def test_mask_comes_with_classes_and_ignored_pixels():
    record = MaskRecord(np.stack([MASK, MASK]), 'f', np.array([3, 5]), 1 - MASK)
    got = answer(record)
    assert got.kind == 'mask' and got.record.file == 'f'
    np.testing.assert_array_equal(got.record.classes, [3, 5])
    np.testing.assert_array_equal(got.record.ignore, 1 - MASK)


@pytest.mark.parametrize('policy', ['error', 'unguided'])
def test_what_is_missing_or_empty_is_told_under_any_policy(policy):
    missing = answer(None, missing=policy)
    assert missing.kind == 'missing' and 'has no mask in Says' in missing.reason
    empty = answer(MaskRecord(MASK * 0, 'f'), empty=policy)
    assert empty.kind == 'empty' and "'f' has no causal pixel" in empty.reason
    np.testing.assert_array_equal(empty.record.mask, MASK * 0)


def test_mask_of_another_size_is_told_also_when_it_is_empty():
    for mask in (MASK.T, MASK.T * 0):
        mask = np.ascontiguousarray(mask)
        got = answer(MaskRecord(mask, 'f'))
        assert got.kind == 'size' and '(6, 4)' in got.reason
        assert got.record.mask is mask


def test_errors_of_the_source_are_told():
    got = answer(MaskError("mask 'f' is cut"))
    assert (got.kind, got.reason) == ('unusable', "mask 'f' is cut")
    got = answer(KeyError('segmentation'))
    assert got.kind == 'unusable' and 'KeyError' in got.reason


def test_size_that_the_source_itself_refuses_is_told():
    class MaskSizeError(MaskError):
        size = (6, 4)

    assert answer(MaskSizeError("mask 'f' has (6, 4)")).kind == 'size'


def test_error_before_the_source_is_asked_is_not_a_missing_mask():
    got = answer(None, dict(img_path='/elsewhere/a.jpg'), fraction=0.5)
    assert got.kind == 'unusable' and 'is not below' in got.reason


def test_last_answer_is_not_taken_for_this_one():
    source = Says(MaskRecord(MASK, 'f'))
    ask = MaskQuery(LoadActivationMask(source=source))
    assert ask(dict(sample_idx=0), SHAPE).kind == 'mask'
    source.answer = MaskError('cut')
    assert ask(dict(sample_idx=1), SHAPE).kind == 'unusable'


def test_images_that_are_not_chosen_are_not_asked_about():
    assert answer(MaskError('cut'), fraction=0.0).kind == 'unchosen'


def test_masks_that_lie_as_stored_pixels_are_turned(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (6, 4)).save(tmp_path / 'a.jpg', exif=exif)
    sample = dict(img_path=str(tmp_path / 'a.jpg'))
    got = answer(MaskRecord(MASK, 'f'), sample, (6, 4), exif=True)
    np.testing.assert_array_equal(got.record.mask, MASK.T[:, ::-1])
    got = answer(MaskRecord(MASK * 0, 'f'), sample, (6, 4), exif=True)
    assert got.kind == 'empty' and got.record.mask.shape == (6, 4)
    got = answer(MaskRecord(MASK, 'f'), sample, (6, 4))
    assert got.kind == 'size' and 'exif=True' in got.reason


def test_the_pipeline_s_own_transform_is_left_as_it_is():
    load = LoadActivationMask(source=Says(None), missing='unguided')
    source = load.source
    MaskQuery(load)(dict(sample_idx=0), SHAPE)
    assert load.source is source and load.missing == 'unguided'
