"""TexturedDigits: what the files promise, read back from the files."""

import csv
import filecmp
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.data.public import textured_digits
from cfcn_plugin.data.public.textured_digits import (
    DIGIT_SIZE,
    DIGITS,
    SIZE,
    TEST_DIGITS,
    TEXTURES,
    TRAIN_DIGITS,
    write_textured_digits,
)

pytest.importorskip('sklearn')
data = pytest.importorskip('skimage.data')
RUN = 16  # pixels in a row that tell where in which texture they are from


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return write_textured_digits(tmp_path_factory.mktemp('data') / 'digits')


@pytest.fixture(scope='module')
def rows(root):
    with (root / 'labels.csv').open(newline='') as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope='module')
def strokes(root, rows):
    """Per image, its mask without the place it lies at: which digit it is."""

    def cut(name):
        mask = np.asarray(Image.open(root / 'masks' / name))
        y, x = np.nonzero(mask)
        inside = mask[y.min() : y.max() + 1, x.min() : x.max() + 1]
        return inside.shape, inside.tobytes()

    return {row['filename']: cut(row['filename']) for row in rows}


@pytest.fixture(scope='module')
def backgrounds(root, rows):
    """Per image, the texture and the half of it that it was cut from."""
    windows = {}
    for name in TEXTURES:
        texture = getattr(data, name)()
        middle = texture.shape[1] // 2
        halves = dict(left=texture[:, :middle], right=texture[:, middle:])
        for half, pixels in halves.items():
            runs = np.lib.stride_tricks.sliding_window_view(pixels, RUN, axis=1)
            flat = np.ascontiguousarray(runs).view(f'V{RUN}').ravel()
            windows[name, half] = set(flat.tolist())
    found = {}
    for row in rows:
        image = np.asarray(Image.open(root / row['filename']))[..., 0]
        # a digit of 20 pixels cannot cover both the first and the last row of 40
        edges = {image[0, :RUN].tobytes(), image[-1, :RUN].tobytes()}
        (found[row['filename']],) = (key for key in windows if edges & windows[key])
    return found


def test_counts_by_split_background_and_class(rows):
    counts = Counter((r['split'], r['background'], r['label']) for r in rows)
    assert counts == {
        **{('train', 'tied', str(d)): TRAIN_DIGITS for d in DIGITS},
        **{('test', 'tied', str(d)): TEST_DIGITS for d in DIGITS},
        **{('test', 'untied', str(d)): TEST_DIGITS for d in DIGITS},
    }


def test_every_line_has_its_image_and_mask_and_nothing_else_is_there(root, rows):
    names = {row['filename'] for row in rows}
    assert len(names) == len(rows)
    files = {f.relative_to(root).as_posix() for f in root.rglob('*') if f.is_file()}
    assert files == names | {f'masks/{name}' for name in names} | {'labels.csv'}
    assert list(root.parent.iterdir()) == [root]  # no partial folder is left


def test_images_are_grey_and_masks_binary_of_the_exact_size(root, rows):
    for row in rows[::5]:
        image = np.asarray(Image.open(root / row['filename']))
        mask = np.asarray(Image.open(root / 'masks' / row['filename']))
        assert image.shape == (SIZE, SIZE, 3) and mask.shape == (SIZE, SIZE)
        assert (image == image[..., :1]).all()
        assert set(np.unique(mask)) == {0, 255}
        y, x = np.nonzero(mask)
        assert max(np.ptp(y), np.ptp(x)) < DIGIT_SIZE


def test_mask_is_where_the_strokes_are(root, rows):
    for row in rows[::5]:
        image = np.asarray(Image.open(root / row['filename']))[..., 0]
        mask = np.asarray(Image.open(root / 'masks' / row['filename'])) > 0
        # at least a quarter of white over the darkest ground
        assert image[mask].min() >= 0.25 * 255
        assert image[mask].mean() > image[~mask].mean()


def test_training_and_test_show_disjoint_digits(rows, strokes):
    shown = {
        split: {strokes[r['filename']] for r in rows if r['split'] == split}
        for split in ('train', 'test')
    }
    # no digit is shown twice; of 540, the strokes of two plain ones look the same
    assert len(shown['train']) >= 0.99 * len(DIGITS) * TRAIN_DIGITS
    assert len(shown['test']) >= 0.99 * len(DIGITS) * TEST_DIGITS
    assert len(shown['train'] & shown['test']) <= 0.01 * len(DIGITS) * TEST_DIGITS


def test_tied_and_untied_test_show_the_same_digits(rows, strokes):
    for row in rows:
        if row['split'] == 'test':
            tied = row['filename'].replace('_untied', '_tied')
            assert strokes[row['filename']] == strokes[tied]


def test_tied_texture_tells_the_class(rows, backgrounds):
    for row in rows:
        if row['background'] == 'tied':
            texture, _ = backgrounds[row['filename']]
            assert texture == TEXTURES[int(row['label'])]


def test_untied_each_class_is_on_each_texture_equally_often(rows, backgrounds):
    counts = Counter(
        (row['label'], backgrounds[row['filename']][0])
        for row in rows
        if row['background'] == 'untied'
    )
    assert counts == {(str(d), t): TEST_DIGITS // 3 for d in DIGITS for t in TEXTURES}


def test_training_and_test_take_disjoint_halves_of_each_texture(rows, backgrounds):
    for row in rows:
        _, half = backgrounds[row['filename']]
        assert half == ('left' if row['split'] == 'train' else 'right')


@pytest.fixture
def few(monkeypatch):
    """Three images a class and part."""
    parts = [(split, background, 3) for split, background, _ in textured_digits.PARTS]
    monkeypatch.setattr(textured_digits, 'PARTS', parts)


def test_seed_decides_every_file(tmp_path, few):
    one, again = (write_textured_digits(tmp_path / name) for name in ('one', 'again'))
    other = write_textured_digits(tmp_path / 'other', seed=1)
    names = [f.relative_to(one).as_posix() for f in one.rglob('*.*')]
    assert len(names) == 2 * 27 + 1
    _, different, errors = filecmp.cmpfiles(one, again, names, shallow=False)
    assert not different and not errors
    _, different, errors = filecmp.cmpfiles(one, other, names, shallow=False)
    assert set(different) == set(names) - {'labels.csv'} and not errors


def test_existing_folder_is_not_overwritten(tmp_path):
    (tmp_path / 'mine.txt').write_text('precious')
    with pytest.raises(FileExistsError, match='is not overwritten') as caught:
        write_textured_digits(tmp_path)
    assert f"'{tmp_path}'" in str(caught.value)
    assert [f.name for f in tmp_path.iterdir()] == ['mine.txt']


def test_rest_of_a_run_that_was_cut_off_does_no_harm(tmp_path, few):
    rest = tmp_path / 'digits.partial' / 'masks'
    rest.mkdir(parents=True)
    (rest / 'old.png').write_bytes(b'')
    root = write_textured_digits(tmp_path / 'digits')
    assert not (root / 'masks' / 'old.png').exists()
    assert not rest.exists()
