"""TiedPets: what the files promise, read back from the files."""

import csv
import shutil
from collections import Counter

import cv2
import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.data.public.tied_pets import (
    BREEDS,
    CONTEXTS,
    Photograph,
    change_context,
    changed,
    write_tied_pets,
)

GREEN, GREY = (30, 200, 40), (120, 120, 120)
CAT, OWN = (210, 20, 20), (20, 20, 210)
PHOTOGRAPHS = 24  # a breed


@pytest.fixture(scope='module')
def pets(tmp_path_factory):
    """Red cats on blue, red bulldogs on green and on grey; three cannot be used."""
    root = tmp_path_factory.mktemp('pets')
    (root / 'annotations/trimaps').mkdir(parents=True)
    (root / 'images').mkdir()
    for breed in (*BREEDS, CONTEXTS):
        for number in range(PHOTOGRAPHS):
            trimap = np.full((60, 80), 2, np.uint8)
            trimap[20:40, 25:45] = 3
            trimap[22:38, 27:43] = 1
            image = np.empty((60, 80, 3), np.uint8)
            image[:] = (GREEN, GREY)[number % 2] if breed == CONTEXTS else OWN
            image[trimap != 2] = CAT
            if breed == BREEDS[0] and number == 0:
                trimap[:] = 2  # no animal
            if breed == BREEDS[0] and number == 1:
                trimap[3:-3, 3:-3] = 1  # no context
            if breed == CONTEXTS and number == 0:
                image[:20] = GREY
                image[:, 12:] = GREY  # neither green nor plain
            write(root, f'{breed}_{number}', image, trimap)
    return root


def write(root, name, image, trimap):
    # without loss, as a PNG named .jpg: the published set has one, too
    Image.fromarray(image).save(root / f'images/{name}.jpg', format='PNG')
    Image.fromarray(trimap).save(root / f'annotations/trimaps/{name}.png')


@pytest.fixture(scope='module')
def root(pets, tmp_path_factory):
    return write_tied_pets(tmp_path_factory.mktemp('data') / 'tied-pets', pets)


@pytest.fixture(scope='module')
def rows(root):
    with (root / 'labels.csv').open(newline='') as stream:
        return list(csv.DictReader(stream))


def stems(rows, *splits):
    return {row['filename'].split('/')[-1] for row in rows if row['split'] in splits}


def test_in_training_the_place_tells_the_breed(rows):
    tied = {(row['label'], row['place']) for row in rows if row['split'] == 'train'}
    assert tied == {('Abyssinian', 'green'), ('Bengal', 'plain')}


@pytest.mark.parametrize('split', ['val', 'test'])
def test_each_cat_of_a_test_is_on_each_place_once(rows, split):
    counts = Counter(
        (row['filename'].split('/')[-1], row['place'])
        for row in rows
        if row['split'] == split
    )
    cats = stems(rows, split)
    assert cats
    assert counts == {(cat, place): 1 for cat in cats for place in ('green', 'plain')}


def test_splits_share_no_cat_and_leave_out_what_cannot_be_used(rows):
    assert not stems(rows, 'train') & stems(rows, 'val', 'test')
    assert not stems(rows, 'val') & stems(rows, 'test')
    everything = stems(rows, 'train', 'val', 'test')
    assert len(everything) == 2 * PHOTOGRAPHS - 2
    assert not {'Abyssinian_0.png', 'Abyssinian_1.png'} & everything


def test_the_cat_keeps_its_surroundings_and_the_corner_is_the_place(root, rows):
    for row in rows:
        image = np.asarray(Image.open(root / row['filename']))
        mask = np.asarray(Image.open(root / 'masks' / row['filename'])) > 0
        assert image.shape[:2] == mask.shape == (224, 299)
        ring = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3))) > 0
        own = (abs(image[ring] - np.array(CAT)) < 9).all(-1) | (
            image[ring][:, 2] > image[ring][:, 1] + 9
        )
        assert own.all()
        corner = GREEN if row['place'] == 'green' else GREY
        np.testing.assert_array_equal(image[0, 0], corner)


def test_the_box_is_the_masks(root, rows):
    row = rows[0]
    mask = np.asarray(Image.open(root / 'masks' / row['filename'])) > 0
    box = np.zeros_like(mask)
    x0, y0, x1, y1 = (int(row[key]) for key in ('x0', 'y0', 'x1', 'y1'))
    box[y0:y1, x0:x1] = True
    np.testing.assert_array_equal(box, mask)  # these cats are boxes


def test_the_change_begins_at_the_margin_and_is_whole_after_the_fade():
    mask = np.zeros((100, 300), np.uint8)
    mask[:, :100] = 1  # the longer side is 100: margin 2 px, fade 6 px
    row = changed(mask)[50]
    np.testing.assert_array_equal(row[:102], 0)
    assert row[104] == pytest.approx(0.5)  # 5 px from the mask's last pixel
    assert row[106] < 1
    np.testing.assert_array_equal(row[107:], 1)


def test_a_context_of_another_size_fills_the_photograph_undistorted():
    mask = np.zeros((40, 120), np.uint8)
    mask[20, 10] = 1
    context = np.zeros((30, 30, 3), np.uint8)
    context[10:20] = 90  # enlarged four times: the 40 middle rows of 120
    cat = Photograph('a', np.full((40, 120, 3), 200, np.uint8), mask)
    mixed = change_context(cat, context)
    np.testing.assert_array_equal(mixed[5:35, 60:], 90)
    assert (mixed[20, 10] == 200).all()


def test_the_seed_chooses_the_contexts_and_a_folder_is_not_overwritten(
    pets, root, rows, tmp_path
):
    again = write_tied_pets(tmp_path / 'again', pets)
    assert (again / 'labels.csv').read_bytes() == (root / 'labels.csv').read_bytes()
    for row in rows:
        file = row['filename']
        assert (again / file).read_bytes() == (root / file).read_bytes()
    with pytest.raises(FileExistsError, match='is not overwritten'):
        write_tied_pets(root, pets)


@pytest.mark.parametrize(
    'pattern,error,message',
    [
        ('images/Bengal_*', FileNotFoundError, r"no 'Bengal_\*.jpg'"),
        ('annotations/trimaps/Bengal_3.png', FileNotFoundError, 'Bengal_3.* no trimap'),
        ('images/american_bulldog_*[02468].jpg', ValueError, 'has a green context'),
        (
            'images/Bengal_[!5]*',
            ValueError,
            'no photograph of Bengal for .* has an animal',
        ),
    ],
)
def test_a_tree_that_is_not_whole_is_refused(pets, tmp_path, pattern, error, message):
    copy = tmp_path / 'pets'
    shutil.copytree(pets, copy)
    for file in copy.glob(pattern):
        file.unlink()
    with pytest.raises(error, match=message):
        write_tied_pets(tmp_path / 'tied', copy)
    assert not (tmp_path / 'tied').exists()
