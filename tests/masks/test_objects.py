"""The choice of causal objects and their class, and errors of wrong options."""

import numpy as np
import pytest

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.objects import Annotated, ObjectChoice

# outlines are the columns of an image of 2 x 4 pixels
FOUND = [Annotated('dog', 0), Annotated('cat', 1), Annotated('dog', 2)]
CLASSES = ['cat', 'dog']


def draw(columns, shape=(2, 4)):
    mask = np.zeros(shape, np.uint8)
    mask[:, columns] = 1
    return mask


def record(found=FOUND, gt_label=None, void=None, **options):
    results = dict(img_path='a.jpg', ori_shape=(2, 4))
    if gt_label is not None:
        results['gt_label'] = gt_label
    return ObjectChoice(**options).record(found, draw, results, 'x.json', void)


def columns(mask):
    return np.flatnonzero(mask[0]).tolist()


def test_all_objects_make_one_mask():
    made = record()
    assert columns(made.mask) == [0, 1, 2]
    assert made.classes is None and made.ignore is None and made.file == 'x.json'


def test_categories_choose_among_them():
    assert columns(record(categories=['dog']).mask) == [0, 2]
    assert not record(categories=['cow']).mask.any()


def test_each_class_has_its_plane():
    made = record(objects='per_class', classes=CLASSES)
    assert made.classes.tolist() == [0, 1] and made.classes.dtype == np.int64
    assert [columns(plane) for plane in made.mask] == [[1], [0, 2]]


def test_two_categories_may_be_one_class_and_others_none():
    made = record(
        [*FOUND, Annotated('cow', 3)], objects='per_class', classes={'dog': 7, 'cat': 7}
    )
    assert made.classes.tolist() == [7] and columns(made.mask[0]) == [0, 1, 2]


@pytest.mark.parametrize(
    'label,expected',
    [
        (0, [1]),
        (1, [0, 2]),
        ([0, 1], [0, 1, 2]),
        (np.int64(1), [0, 2]),
        (np.array([0]), [1]),
    ],
)
def test_label_chooses_the_images_own_objects(label, expected):
    made = record(gt_label=label, objects='label', classes=CLASSES)
    assert columns(made.mask) == expected and made.classes is None


def test_image_without_objects_has_an_empty_mask():
    for options in (dict(), dict(objects='label', classes=CLASSES, gt_label=0)):
        assert not record([], **options).mask.any()
    made = record([], objects='per_class', classes=CLASSES)
    assert made.mask.shape == (0, 2, 4) and made.classes.tolist() == []


def test_label_without_an_object_is_an_error_or_an_empty_mask():
    options = dict(gt_label=0, objects='label', classes=['cow', 'cat', 'dog'])
    with pytest.raises(
        MaskError,
        match=r"^no object of the image's label "
        r"\[0\] \(cow\), only of cat, dog.*label_missing='empty'",
    ):
        record(**options)
    assert not record(**options, label_missing='empty').mask.any()


def test_image_without_a_label_names_image_and_remedy():
    with pytest.raises(MaskError, match="'a.jpg' has no `gt_label`.*objects='all'"):
        record(objects='label', classes=CLASSES)


def test_ignored_objects_are_unknown_where_no_other_is():
    crowd = Annotated('dog', [2, 3], ignored=True)
    made = ObjectChoice().record(
        [*FOUND, crowd],
        lambda outlines, _: draw(np.hstack(outlines).tolist()),
        dict(ori_shape=(2, 4)),
        'x.json',
    )
    assert columns(made.mask) == [0, 1, 2] and columns(made.ignore) == [3]
    assert made.ignore.dtype == np.uint8


def test_ignored_objects_of_other_categories_are_context():
    made = record([*FOUND, Annotated('cow', 3, ignored=True)], categories=['dog'])
    assert made.ignore is None


def test_image_of_ignored_objects_alone_has_an_empty_mask():
    made = record([Annotated('dog', 3, ignored=True)])
    assert not made.mask.any() and columns(made.ignore) == [3]


@pytest.mark.parametrize(
    'options',
    [
        dict(),
        dict(categories=['cat']),
        dict(objects='per_class', classes=['cat', 'cow']),
        dict(objects='label', classes=['cat', 'cow'], gt_label=0),
    ],
)
def test_categories_that_nobody_knows_count_before_all_others(options):
    found = [Annotated('cat', 1), Annotated('dog', 1), Annotated('dog', 2)]
    made = record(found, ignore=['dog'], **options)
    mask = made.mask if made.classes is None else made.mask[0]
    assert columns(mask) == [1] and columns(made.ignore) == [1, 2]


def test_void_is_ignored_too():
    void = np.zeros((2, 4), bool)
    void[0, 0] = True
    made = record([*FOUND, Annotated('dog', 3, ignored=True)], void=void)
    np.testing.assert_array_equal(made.ignore, [[1, 0, 0, 1], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    'wrong,error,message',
    [
        (dict(objects='some'), ValueError, "`objects`.*per_class.*label.*'some'"),
        (dict(label_missing='skip'), ValueError, "`label_missing`.*empty.*'skip'"),
        (dict(classes=CLASSES), ValueError, "`classes` are for objects='per_class'"),
        (
            dict(objects='label', classes={'cat': -1}),
            ValueError,
            "whole number from 0, got -1 for 'cat'",
        ),
        (dict(objects='label'), ValueError, "objects='label' needs `classes`"),
        (
            dict(objects='label', classes='dog'),
            TypeError,
            "`classes`.*names, got 'dog'",
        ),
        (
            dict(objects='label', classes=CLASSES, categories=CLASSES),
            ValueError,
            "`categories` is for objects='all'",
        ),
        (dict(ignore='haze'), TypeError, "`ignore` must be several names, got 'haze'"),
        (dict(categories=[]), ValueError, '`categories` must name at least one'),
        (
            dict(objects='label', classes={}),
            ValueError,
            '`classes` must name at least one',
        ),
        (
            dict(categories=['cow', 'dog'], ignore=['cow']),
            ValueError,
            '`categories` and `ignore` both name cow',
        ),
    ],
)
def test_wrong_option_names_argument_and_what_came(wrong, error, message):
    with pytest.raises(error, match=message):
        ObjectChoice(**wrong)


@pytest.mark.parametrize(
    'options',
    [
        dict(categories=['cat', 'cow']),
        dict(objects='label', classes=['cat', 'cow']),
        dict(objects='per_class', classes={'cow': 0}),
    ],
)
def test_unknown_category_is_named_with_those_there_are(options):
    with pytest.raises(MaskError, match='no category cow of .*cat, dog'):
        ObjectChoice(**options).check(['dog', 'cat'])


def test_unknown_category_to_ignore_names_its_option():
    with pytest.raises(MaskError, match='no category haze of `ignore`, there are dog'):
        ObjectChoice(ignore=['haze']).check(['dog'])


def test_category_that_happens_not_to_occur_may_be_asked_for():
    choice = ObjectChoice('per_class', classes=['cat', 'cow'], ignore=['haze'])
    choice.check_seen(['cat', 'dog'])
    with pytest.raises(MaskError, match='no category cat, cow.* there are dog'):
        choice.check_seen(['dog'])


@pytest.mark.parametrize('name', ['Cow', 'cow ', ' COW'])
def test_category_that_differs_in_case_or_spaces_is_an_error(name):
    choice = ObjectChoice(categories=['cow'])
    choice.check_case(['cow', 'cows'])
    with pytest.raises(MaskError, match=f"^category '{name}' is not 'cow': correct"):
        choice.check_case(['cow', name])
    ObjectChoice(categories=['cow', name]).check_case(['cow', name])
