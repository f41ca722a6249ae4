"""Every result kind under every policy; masks without an mm pipeline."""

import copy
import pickle

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.masks import (
    GrabCut,
    MaskError,
    MaskLoader,
    MaskRecord,
    MaskSizeError,
    MaskSource,
)

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

    def broken(self):
        return [(name, MaskError(f"'{name}' is broken")) for name in 'ab']


def query(given, sample=None, shape=SHAPE, **options):
    return MaskLoader(Says(given), **options).query(sample or dict(sample_idx=0), shape)


def test_mask_comes_with_classes_and_ignored_pixels():
    record = MaskRecord(np.stack([MASK, MASK]), 'f', np.array([3, 5]), 1 - MASK)
    got = query(record)
    assert got.kind == 'mask' and got.record.file == 'f' and got.reason == ''
    np.testing.assert_array_equal(got.record.classes, [3, 5])
    np.testing.assert_array_equal(got.record.ignore, 1 - MASK)


@pytest.mark.parametrize('policy', ['error', 'unguided'])
def test_missing_or_empty_mask_is_told_under_any_policy(policy):
    missing = query(None, missing=policy)
    assert missing.kind == 'missing' and 'has no mask in Says' in missing.reason
    empty = query(MaskRecord(MASK * 0, 'f'), empty=policy)
    assert empty.kind == 'empty' and "'f' has no causal pixel" in empty.reason
    np.testing.assert_array_equal(empty.record.mask, MASK * 0)


def test_record_without_a_class_is_an_empty_mask():
    nothing = MaskRecord(np.zeros((0, *SHAPE), np.uint8), 'f', np.zeros(0, np.int64))
    got = query(nothing)
    assert got.kind == 'empty' and got.record.mask.shape == SHAPE
    with pytest.raises(MaskError, match="'f' has no causal pixel"):
        MaskLoader(Says(nothing)).load(dict(sample_idx=0), SHAPE)


def test_mask_of_another_size_is_told_also_when_it_is_empty():
    for mask in (MASK.T, MASK.T * 0):
        mask = np.ascontiguousarray(mask)
        got = query(MaskRecord(mask, 'f'))
        assert got.kind == 'size' and '(6, 4)' in got.reason
        assert got.record.mask is mask


def test_errors_of_the_source_are_told():
    got = query(MaskError("mask 'f' is cut"))
    assert (got.kind, got.reason) == ('unusable', "mask 'f' is cut")
    got = query(KeyError('segmentation'))
    assert got.kind == 'unusable' and 'KeyError' in got.reason


def test_size_that_the_source_itself_refuses_is_told():
    got = query(MaskSizeError("'f': (6, 4)", (6, 4)))
    assert got.kind == 'size' and got.record is None
    assert "'f': (6, 4)" in got.reason


def test_error_before_the_source_is_asked_is_not_a_missing_mask():
    got = query(None, dict(img_path='/elsewhere/a.jpg'), fraction=0.5)
    assert got.kind == 'unusable' and 'is not below' in got.reason


def test_images_that_are_not_chosen_are_not_asked_about():
    assert query(MaskError('cut'), fraction=0.0).kind == 'unchosen'


def test_masks_that_lie_as_stored_pixels_are_turned(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (6, 4)).save(tmp_path / 'a.jpg', exif=exif)
    sample = dict(img_path=str(tmp_path / 'a.jpg'))
    got = query(MaskRecord(MASK, 'f'), sample, (6, 4), exif=True)
    np.testing.assert_array_equal(got.record.mask, MASK.T[:, ::-1])
    got = query(MaskRecord(MASK * 0, 'f'), sample, (6, 4), exif=True)
    assert got.kind == 'empty' and got.record.mask.shape == (6, 4)
    got = query(MaskRecord(MASK, 'f'), sample, (6, 4))
    assert got.kind == 'size' and 'exif=True' in got.reason


# ---- under the policies ----------------------------------------------------------


@pytest.mark.parametrize(
    'answer,policy', [(None, 'missing'), (MaskRecord(MASK * 0, 'f'), 'empty')]
)
def test_declared_image_is_unguided_and_another_one_raises(answer, policy):
    strict = MaskLoader(Says(answer))
    with pytest.raises(MaskError, match=f"`{policy}='unguided'`"):
        strict.load(dict(sample_idx=0), SHAPE)
    declared = MaskLoader(Says(answer), **{policy: 'unguided'})
    result = declared.load(dict(sample_idx=0), SHAPE)
    assert result.kind == policy and declared.is_declared_unguided(result)
    assert not strict.is_declared_unguided(result)


def test_unusable_mask_makes_its_image_unguided_with_a_warning():
    lines = []
    load = MaskLoader(Says(MaskError('cut')), on_error='unguided', warn=lines.append)
    for _ in range(2):
        assert load.load(dict(sample_idx=7), SHAPE).kind == 'unusable'
    assert lines == ["image '7' is unguided: cut"]


def test_bug_of_a_source_is_no_bad_file():
    load = MaskLoader(Says(KeyError('segmentation')), on_error='unguided')
    with pytest.raises(KeyError):
        load.load(dict(sample_idx=0), SHAPE)


def test_loader_goes_to_workers():
    load = MaskLoader(Says(None), fraction=0.5, missing='unguided')
    for one in (copy.deepcopy(load), pickle.loads(pickle.dumps(load))):
        assert one.is_chosen('a.jpg') is load.is_chosen('a.jpg')


def test_a_hundred_unusable_masks_are_named_and_the_rest_is_not():
    lines = []
    loader = MaskLoader(
        Says(MaskRecord(MASK, 'a')), on_error='unguided', warn=lines.append
    )
    loader.load(dict(img_path='/here/fine.jpg'), SHAPE)
    loader.source.answer = MaskError('it is half')
    for _ in range(2):
        for number in range(150):
            loader.load(dict(img_path=f'/here/{number}.jpg'), SHAPE)
    assert len(lines) == 101
    assert lines[0] == "image '/here/0.jpg' is unguided: it is half"
    assert 'not named' in lines[-1] and '`mask_error_fraction`' in lines[-1]


# ---- refined masks ---------------------------------------------------------


def two_colours():
    """An image whose 12 x 16 pixels at (8, 8) have another colour."""
    image = np.random.default_rng(0).normal(80, 5, (40, 48, 3))
    image[8:20, 8:24] += (100, -40, 0)
    return image.clip(0, 255).astype(np.uint8)


def box(rows, columns):
    mask = np.zeros((40, 48), np.uint8)
    mask[rows, columns] = 1
    return mask


def refined(record, image, **options):
    loader = MaskLoader(Says(record), refine=GrabCut(), **options)
    return loader, loader.load(dict(sample_idx=0, img=image), (40, 48))


def test_a_loaded_mask_is_refined_and_the_way_is_counted():
    record = MaskRecord(box(slice(4, 24), slice(4, 30)), 'f')
    loader, result = refined(record, two_colours())
    np.testing.assert_array_equal(result.record.mask, box(slice(8, 20), slice(8, 24)))
    assert result.record.file == 'f'
    assert result.ways == loader.refine.ways == {'outline': 1}


def test_every_class_is_refined_and_its_label_stays():
    planes = np.stack(
        [box(slice(4, 24), slice(4, 30)), box(slice(6, 22), slice(6, 26))]
    )
    _, result = refined(MaskRecord(planes, 'f', np.array([3, 5])), two_colours())
    outline = box(slice(8, 20), slice(8, 24))
    np.testing.assert_array_equal(result.record.mask, [outline, outline])
    np.testing.assert_array_equal(result.record.classes, [3, 5])


def test_a_mark_without_an_outline_is_told_once():
    told = []
    record = MaskRecord(box(slice(4, 24), slice(4, 30)), 'f')
    loader = MaskLoader(Says(record), refine=GrabCut(most=0.05), warn=told.append)
    for _ in range(2):
        result = loader.load(dict(img_path='/here/a.jpg', img=two_colours()), (40, 48))
        assert result.kind == 'mask'
    (text,) = told
    assert text == (
        "image '/here/a.jpg': `refine` found no outline for 1 parts of its mark: 1 "
        'became an ellipse, 0 stayed as they were'
    )
    assert loader.refine.ways['ellipse'] == 2


def test_refining_without_an_image_is_an_error():
    with pytest.raises(ValueError, match="needs the loaded image, the sample's `img`"):
        refined(MaskRecord(box(slice(4, 24), slice(4, 30)), 'f'), None)


def test_an_image_that_cannot_be_refined_is_named_with_the_remedy():
    image = two_colours().astype(np.float32)
    with pytest.raises(ValueError, match="^image '.*float32.*without `to_float32`"):
        refined(MaskRecord(box(slice(4, 24), slice(4, 30)), 'f'), image)


@pytest.mark.parametrize('refine', ['GrabCut', True, dict(type='GrabCut')])
def test_refine_must_refine(refine):
    with pytest.raises(TypeError, match='`refine` must be a GrabCut .* got'):
        MaskLoader(Says(None), refine=refine)


def test_without_a_mask_nothing_is_refined():
    loader, result = refined(None, two_colours(), missing='unguided')
    assert result.kind == 'missing' and not loader.refine.ways
    assert result.ways is None


def test_check_raises_a_broken_entry_of_a_used_and_chosen_image(tmp_path):
    loader = MaskLoader(Says(None))
    with pytest.raises(MaskError, match="^2 entries .*on_error='unguided'.*'a' is br"):
        loader.check()
    with pytest.raises(MaskError, match="^1 entries .*'b' is broken"):
        loader.check(['b', 'c'])
    loader.check(['c'])
    (tmp_path / 'chosen.txt').write_text('c\n')
    MaskLoader(Says(None), image_list=str(tmp_path / 'chosen.txt')).check()


def test_check_tells_broken_entries_once_where_they_are_unguided():
    lines = []
    MaskLoader(Says(None), on_error='unguided', warn=lines.append).check()
    assert lines == [
        "2 entries cannot be read, their images are unguided. The first: 'a' is broken"
    ]


def test_check_missing_names_chosen_images_unless_they_are_declared():
    source = Says(None)
    source.missing = list
    with pytest.raises(
        MaskError,
        match="2 guided images have no mask in Says.*'a', 'b': .* `missing='unguided'`",
    ):
        MaskLoader(source).check_missing(['b', 'a'])
    for options in (
        dict(missing='unguided'),
        dict(on_error='unguided'),
        dict(fraction=0.0),
    ):
        MaskLoader(source, **options).check_missing(['b', 'a'])


# ---- masks of another size ---------------------------------------------------


class OfSize(Says):
    """A mask of its own size, which tells the size as formats with a header do."""

    def __init__(self, size, early):
        super().__init__(None)
        self.size, self.early = size, early

    def __call__(self, results):
        if self.early and results['ori_shape'] != self.size:
            raise MaskSizeError(f'is {self.size}', self.size)
        mask = np.zeros(self.size, np.uint8)
        mask[:, self.size[1] // 2 :] = 1
        return MaskRecord(mask, 'f', ignore=1 - mask)


@pytest.mark.parametrize('early', [True, False])
@pytest.mark.parametrize('size', [(8, 12), (40, 60), (9, 13)])
def test_mask_of_the_same_proportions_is_scaled_if_asked_for(size, early):
    strict = MaskLoader(OfSize(size, early)).query(dict(sample_idx=0), SHAPE)
    assert strict.kind == 'size' and '`rescale=True`' in strict.reason
    got = MaskLoader(OfSize(size, early), rescale=True).query(dict(sample_idx=0), SHAPE)
    right = np.tile(np.arange(6) > 2, (4, 1))
    np.testing.assert_array_equal(got.record.mask, right)
    np.testing.assert_array_equal(got.record.ignore, ~right)
    assert got.kind == 'mask' and got.record.mask.dtype == np.uint8


@pytest.mark.parametrize('size', [(6, 4), (8, 8), (40, 45), (10**9, 15 * 10**8)])
def test_mask_of_other_proportions_or_a_monstrous_one_is_refused_all_the_same(size):
    got = MaskLoader(Says(MaskSizeError('f', size)), rescale=True).query(
        dict(sample_idx=0), SHAPE
    )
    assert got.kind == 'size' and 'rescale' not in got.reason


def test_planes_of_classes_are_scaled_each():
    record = MaskRecord(np.stack([MASK, MASK * 0, 1 - MASK]), 'f', np.arange(3))
    got = query(record, shape=(8, 12), rescale=True).record
    assert got.mask.shape == (3, 8, 12) and got.classes.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(got.mask[:, ::2, ::2], record.mask)
    np.testing.assert_array_equal(got.mask[:, 1::2, 1::2], record.mask)
