"""What is said of outlines, and which are the worst."""

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.annotation.convert import ConversionResult
from cfcn_plugin.annotation.mask_index import IndexRow
from cfcn_plugin.annotation.outline_report import LISTED, outline_lines, worst_outlines


def result(name, ways='', kept=1.0, files=('',)):
    return ConversionResult(
        f'{name}.png',
        tuple(
            IndexRow(f'{name}.png', f'{file}{name}.png', 2, 3, 0.5, 0.0, '', ways, kept)
            for file in files
        ),
    )


RESULTS = [
    result('good', 'outline=3'),
    result('small', 'outline=1', 0.2),
    result('ellipse', 'outline=1 ellipse=1', 0.1),
    result('mark', 'mark=1'),
    result('two', 'ellipse=2', 0.9),
    ConversionResult('none.png'),
]


def test_lines_count_ways_and_name_images_without_an_outline(tmp_path):
    assert list(outline_lines(RESULTS, tmp_path)) == [
        'Marks became 5 outlines (55.6%), 0 outlines by the second try (0.0%), '
        '3 ellipses in the mark (33.3%), 1 marks as they are (11.1%).',
        '  ellipse.png: 1 outlines, 1 ellipses in the mark',
        '  mark.png: 1 marks as they are',
        '  two.png: 2 ellipses in the mark',
    ]


def test_a_long_list_ends_with_the_place_of_the_others(tmp_path):
    many = [result(str(i), 'mark=1') for i in range(LISTED + 2)]
    lines = list(outline_lines(many, tmp_path / 'index.csv'))
    assert len(lines) == 1 + LISTED + 1
    assert lines[-1] == f"  ... and 2 more: column `ways` of '{tmp_path}/index.csv'"


@pytest.fixture
def folders(tmp_path):
    """Images, and masks of which `two` has one in each of two files."""
    for one in RESULTS[:-1]:
        for file in ('images', 'masks'):
            (tmp_path / file).mkdir(exist_ok=True)
            Image.new('L', (3, 2), 255).save(tmp_path / file / one.image)
    for number in (0, 1):
        mask = np.zeros((2, 3), np.uint8)
        mask[number] = 255
        (tmp_path / 'masks' / str(number)).mkdir()
        Image.fromarray(mask).convert('1').save(
            tmp_path / 'masks' / str(number) / 'two.png'
        )
    return tmp_path / 'images', tmp_path / 'masks'


def test_marks_come_first_then_ellipses_then_the_smallest(folders):
    results = [*RESULTS[:4], result('two', 'ellipse=2', 0.9, ('0/', '1/')), RESULTS[-1]]
    entries = worst_outlines(results, *folders)
    assert [one.name for one in entries] == [
        'mark.png',
        'two.png',
        'ellipse.png',
        'small.png',
        'good.png',
    ]
    assert entries[1].reason == '2 ellipses in the mark; 90% of the mark'
    np.testing.assert_array_equal(entries[1].mask, np.ones((2, 3)))  # of both files
    assert entries[0].image.shape == (2, 3, 3)
