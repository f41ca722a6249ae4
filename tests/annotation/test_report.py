"""The report of a validation: counts, fractions, errors, and examples."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from cfcn_plugin.annotation.report import Report
from cfcn_plugin.annotation.validate import Finding, Problem


def finding(number, *problems, label=0, area=0.3, kept=None):
    guided = area is not None
    return Finding((0, number), f'{number}.jpg', (label,), guided, area, kept, problems)


def test_clean_data_stops_nothing():
    report = Report([finding(0), finding(1)])
    assert not report.stops and not report.suspicious
    assert 'No problem was found' in str(report)
    assert 'No problem would stop' in str(report)


def test_problem_that_stops_and_its_remedy_are_reported():
    report = Report([finding(0), finding(1, Problem('missing', stops=True), area=None)])
    assert report.stops
    text = str(report)
    assert 'STOPS no mask: 1 (add them, or declare such images' in text
    assert '1.jpg' in text and 'A training run with this config would stop.' in text


def test_masks_without_an_image_stop_a_run_that_checks():
    for checks in (True, False):
        report = Report(
            [finding(0)], ['2 masks belong to no image'], has_check_hook=checks
        )
        assert report.stops is checks
        assert ('STOPS 2 masks' in str(report)) is checks
        assert '2 masks belong to no image' in str(report)


def test_a_kind_with_many_cases_shows_three_and_the_number():
    report = Report([finding(i, Problem('inverted')) for i in range(9)])
    text = str(report)
    assert 'mask looks inverted: 9' in text and '... and 6 more' in text
    assert '2.jpg' in text and '3.jpg' not in text


@pytest.mark.parametrize('kind', ['image', 'pipeline', 'unusable', 'size', 'damaged'])
def test_every_file_that_is_broken_is_listed(kind):
    text = str(Report([finding(i, Problem(kind, 'cut')) for i in range(9)]))
    assert [f'{i}.jpg: cut' in text for i in range(9)] == [True] * 9
    assert 'more' not in text


@pytest.mark.parametrize(
    'kind,remedy',
    [
        ('unusable', "on_error='unguided' of LoadActivationMask"),
        ('size', "on_error='unguided' of LoadActivationMask"),
        ('image', "dict(type='LoadImage', on_error='another')"),
    ],
)
def test_option_that_goes_on_without_broken_files_is_named(kind, remedy):
    text = str(Report([finding(0, Problem(kind, stops=True))]))
    assert f'by {remedy})' in text
    assert remedy not in str(Report([finding(0, Problem(kind))]))


def test_names_and_reasons_are_printable():
    name = '\x1b[2J\u202e\udce9\n.jpg'
    found = replace(finding(0, Problem('size', '\x1b[31m', True)), image=name)
    text = str(Report([found], ['\x1b[1m'], ['\x1b[2m']))
    assert not set('\x1b\u202e\udce9') & set(text) and text.encode()
    assert r'\x1b[2J\u202e\udce9\n.jpg: \x1b[31m' in text


def test_fraction_by_class_has_names_and_numbers():
    report = Report(
        [finding(0), finding(1, area=None), finding(2, label=1)], classes=['cat', 'dog']
    )
    lines = [line.split() for line in str(report).splitlines()]
    assert ['cat', '1', 'of', '2', '50.0%'] in lines
    assert ['dog', '1', 'of', '1', '100.0%'] in lines


def test_many_classes_show_the_least_guided():
    found = [finding(i, label=i, area=None if i == 27 else 0.1) for i in range(30)]
    text = str(Report(found))
    assert 'the least first' in text and '... and 20 more classes' in text
    assert text.index(' 27 ') < text.index(' 0 ')


def test_areas_are_given_as_quantiles_and_bars():
    report = Report([finding(i, area=a) for i, a in enumerate((0.005, 0.3, 0.4, 1.0))])
    lines = [line.split() for line in str(report).splitlines()]
    assert ['smallest', '0.50%'] in lines and ['median', '35.00%'] in lines
    assert ['20%', 'to', '50%', '2', '█' * 40] in lines
    assert ['80%', 'to', '100%', '1', '█' * 20] in lines
    assert ['1%', 'to', '2%', '0'] in lines


def test_no_kind_hides_the_others_on_the_sheet():
    report = Report(
        [
            finding(0, Problem('turned')),
            finding(1, Problem('turned')),
            finding(2, Problem('size', stops=True), Problem('turned')),
            finding(3, Problem('missing')),
            finding(4, Problem('missing', stops=True)),
            finding(5),
        ]
    )
    assert [one.place[1] for one in report.suspicious] == [2, 4, 0, 1]


def test_json_has_every_problem():
    report = Report(
        [finding(0, Problem('size', 'is (3, 3)', True)), finding(1)],
        ['a message'],
        ['cat'],
    )
    content = json.loads(json.dumps(report.as_dict()))
    assert content['stops'] and content['images'] == 2 and content['guided'] == 2
    assert content['problems'] == [
        dict(image='0.jpg', kind='size', reason='is (3, 3)', stops=True)
    ]
    assert content['counts'] == {'size': 1} and content['unmatched'] == ['a message']
    assert content['guided_by_class'] == {'cat': dict(guided=2, images=2)}
    assert content['area']['0.5'] == 0.3


def test_fraction_of_draws_that_keep_the_object_is_reported():
    report = Report([finding(0, kept=0.5), finding(1, kept=1.0), finding(2)])
    assert 'visible in 75.0% of draws' in str(report)
    assert report.as_dict()['kept_fraction'] == 0.75
    assert 'draws' not in str(Report([finding(0)]))


def test_data_without_a_single_mask_is_reported_too():
    report = Report([finding(0, Problem('missing'), area=None)])
    assert '0 of 1 images are guided' in str(report)
    assert report.as_dict()['area'] == {}


def test_the_ways_to_outlines_are_counted_and_their_images_shown():
    report = Report(
        [
            replace(finding(0), ways=Counter(outline=2, core=1)),
            replace(
                finding(1, Problem('coarse', '1 of 1 marks became ellipses')),
                ways=Counter(ellipse=1),
            ),
        ]
    )
    text = str(report)
    assert 'Marks became 2 outlines (50.0%), 1 outlines by the second try (25' in text
    assert 'refine found no outline: 1' in text and '1.jpg: 1 of 1 marks' in text
    assert report.as_dict()['outlines'] == dict(outline=2, core=1, ellipse=1)
    assert [found.image for found in report.suspicious] == ['1.jpg']
    assert not report.stops and 'became' not in str(Report([finding(0)]))


@pytest.mark.parametrize('best, warns', [(0.4, True), (0.6, False)])
def test_what_a_grid_can_reach_is_told_and_a_coarse_one_warned_of(best, warns):
    findings = [replace(finding(i, area=0.03), best=best) for i in range(2)]
    report = Report(findings, grid=(3, 4))
    text = str(report)
    assert '3 x 4 cells' in text and f'can be {best:.2f} at most' in text
    assert 'a uniform map has 0.03' in text
    assert ('WARNING: the map is too coarse' in text) is warns
    assert report.as_dict()['best_focus'] == best and not report.stops
