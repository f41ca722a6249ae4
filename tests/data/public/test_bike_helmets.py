"""Bike-Helmets: one label an image from its boxes, as many for testing as asked."""

import csv

import pytest

from cfcn_plugin.data.public.bike_helmets import list_bike_helmets


def test_one_head_without_a_helmet_decides(helmets_root):
    with (list_bike_helmets(helmets_root, test=4) / 'labels.csv').open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row['filename'] for row in rows] == [
        f'images/BikesHelmets{number}.png' for number in range(9)
    ]
    for number, row in enumerate(rows):
        alone = number % 3 and number % 2 == 0
        assert row['label'] == ('With Helmet' if alone else 'Without Helmet')
    assert [row['split'] for row in rows].count('test') == 4


def test_the_paper_tests_on_500_so_9_are_too_few(helmets_root):
    with pytest.raises(ValueError, match='9 images, of which 500'):
        list_bike_helmets(helmets_root)


def test_a_list_is_not_overwritten(helmets_root):
    list_bike_helmets(helmets_root, test=4)
    with pytest.raises(FileExistsError, match='labels.csv'):
        list_bike_helmets(helmets_root, test=4)


def test_other_objects_are_refused_by_name(helmets_root):
    file = helmets_root / 'annotations/BikesHelmets1.xml'
    file.write_text(file.read_text().replace('Without Helmet', 'Bicycle'))
    with pytest.raises(ValueError, match=r"BikesHelmets1.xml'.*got \['Bicycle'\]"):
        list_bike_helmets(helmets_root, test=4)


def test_annotation_without_its_image_is_named(helmets_root):
    (helmets_root / 'images/BikesHelmets2.png').unlink()
    with pytest.raises(FileNotFoundError, match='BikesHelmets2.xml. has no image'):
        list_bike_helmets(helmets_root, test=4)


def test_empty_folder_says_what_to_unpack(tmp_path):
    with pytest.raises(FileNotFoundError, match='andrewmvd/helmet-detection'):
        list_bike_helmets(tmp_path)
