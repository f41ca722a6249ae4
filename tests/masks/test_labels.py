"""What labels mean: all causal, some causal, classes, ignored."""
import numpy as np
import pytest

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.labels import Labels

SHAPE = (1, 4)


def area(*columns):
    mask = np.zeros(SHAPE, np.uint8)
    mask[0, list(columns)] = 1
    return mask


def test_without_labels_everything_but_the_ignored_is_causal():
    labels = Labels(None, ['haze'])
    assert labels.wants('cow', 'x') and labels.wants('haze', 'x')
    record = labels.record(
        [('cow', area(0)), ('haze', area(2)), ('dog', area(1))], SHAPE, 'a.json')
    np.testing.assert_array_equal(record.mask, area(0, 1))
    np.testing.assert_array_equal(record.ignore, area(2))
    assert record.classes is None and record.file == 'a.json'


def test_a_list_makes_other_labels_context():
    labels = Labels(['cow'], [])
    assert labels.wants('cow', 'x') and not labels.wants('grass', 'x')
    record = labels.record([('cow', area(0)), ('cow', area(0, 3))], SHAPE, 'a.json')
    np.testing.assert_array_equal(record.mask, area(0, 3))
    assert record.ignore is None


def test_a_dict_gives_a_plane_a_class():
    labels = Labels(dict(cow=3, calf=3, dog=1, cat=0), ['haze'])
    record = labels.record([('cow', area(0)), ('dog', area(1)), ('calf', area(2)),
                            ('haze', area(3)), ('haze', area(2))], SHAPE, 'a.json')
    assert record.classes.tolist() == [1, 3]
    np.testing.assert_array_equal(record.mask, [area(1), area(0, 2)])
    np.testing.assert_array_equal(record.ignore, area(2, 3))


def test_nothing_drawn_is_an_empty_mask():
    assert not Labels(['cow'], []).record([], SHAPE, 'a').mask.any()
    assert Labels(dict(cow=0), []).record([], SHAPE, 'a').mask.shape == (0, *SHAPE)


@pytest.mark.parametrize('label', ['Cow', 'cow ', ' COW'])
def test_label_that_differs_in_case_or_spaces_is_an_error(label):
    with pytest.raises(MaskError, match="a.json: label .* is not 'cow': correct it"):
        Labels(['cow'], []).wants(label, 'a.json')


def test_option_that_no_label_answers_to_shows_those_there_are():
    labels = Labels(dict(cow=0), ['haze'])
    labels.check_known(['cow', 'haze', 'grass'], 'a.json')
    with pytest.raises(MaskError, match=r"a.json has no label 'cow', .*\['haze'\]"):
        labels.check_known(['haze'], 'a.json')


@pytest.mark.parametrize('labels,ignore,error,text', [
    ('cow', [], TypeError, "must be lists.*'cow'"),
    (['cow'], 'haze', TypeError, "must be lists.*'haze'"),
    ([], [], ValueError, 'at least one label'),
    ({}, [], ValueError, 'at least one label'),
    (['cow'], ['cow'], ValueError, r"share \['cow'\]"),
])
def test_wrong_option_is_named(labels, ignore, error, text):
    with pytest.raises(error, match=text):
        Labels(labels, ignore)
