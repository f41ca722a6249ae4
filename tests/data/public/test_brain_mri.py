"""Brain MRI out of MATLAB files: upright, by patient, whole or not at all."""

import csv

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.data.public.brain_mri import export_brain_mri
from cfcn_plugin.data.public.new_dataset import TEST_FRACTION
from cfcn_plugin.masks import guidance_rank

h5py = pytest.importorskip('h5py')


@pytest.fixture(scope='module')
def root(brain_mri_source, tmp_path_factory):
    return export_brain_mri(brain_mri_source, tmp_path_factory.mktemp('data') / 'brain')


def rows(root):
    with (root / 'labels.csv').open(newline='') as stream:
        return list(csv.DictReader(stream))


def pixels(file):
    return np.asarray(Image.open(file))


def test_every_slice_is_a_line_in_the_order_of_its_number(root):
    assert [row['filename'] for row in rows(root)] == [
        f'images/{n}.png' for n in range(1, 10)
    ]
    assert [row['label'] for row in rows(root)[:3]] == [
        'glioma',
        'pituitary',
        'meningioma',
    ]
    assert [row['patient'] for row in rows(root)[:2]] == ['100001', '100002']


def test_split_is_the_patients_and_has_both_parts(root):
    for row in rows(root):
        test = guidance_rank(row['patient']) < TEST_FRACTION
        assert row['split'] == ('test' if test else 'train')
    assert {row['split'] for row in rows(root)} == {'train', 'test'}


def test_image_and_mask_stand_upright_and_image_uses_all_greys(root):
    mask, image = (pixels(root / name / '4.png') for name in ('masks', 'images'))
    assert image.shape == mask.shape == (24, 32)
    expected = np.zeros((24, 32), np.uint8)
    expected[6:12, 8:24] = 255
    np.testing.assert_array_equal(mask, expected)
    assert (image.min(), image.max()) == (0, 255)
    assert image.dtype == np.uint8


def test_stretch_is_linear(tmp_path):
    write(tmp_path / 'in' / '1.mat', image=np.array([[100, 350], [600, 1120]]))
    root = export_brain_mri(tmp_path / 'in', tmp_path / 'out')
    # (x - 100) / 1020 * 255, turned
    np.testing.assert_array_equal(pixels(root / 'images/1.png'), [[0, 125], [62, 255]])


def write(file, **changes):
    fields = dict(
        image=np.arange(4).reshape(2, 2),
        label=np.array([[1.0]]),
        PID=np.array([[49]]),
        tumorMask=np.eye(2),
    )
    file.parent.mkdir(exist_ok=True)
    with h5py.File(file, 'w') as content:
        for name, value in {**fields, **changes}.items():
            if value is not None:
                content[f'cjdata/{name}'] = value


@pytest.mark.parametrize(
    'changes,message',
    [
        (dict(label=np.array([[4.0]])), 'expected cjdata/label 1, 2 or 3, got 4'),
        (dict(image=np.full((2, 2), 7)), 'an image .* got .7.0, 7.0.'),
        (dict(tumorMask=None), 'field .cjdata/tumorMask'),
    ],
)
def test_a_file_that_is_not_as_published_is_named(tmp_path, changes, message):
    write(tmp_path / 'in' / '1.mat', **changes)
    with pytest.raises(ValueError, match=message) as caught:
        export_brain_mri(tmp_path / 'in', tmp_path / 'out')
    assert f"'{tmp_path / 'in' / '1.mat'}'" in str(caught.value)
    assert not (tmp_path / 'out').exists()


def test_half_a_file_is_named(tmp_path):
    (tmp_path / '7.mat').write_bytes(b'MATLAB 7.3 MAT-file')
    with pytest.raises(ValueError, match='7.mat.*is it whole'):
        export_brain_mri(tmp_path, tmp_path / 'out')


def test_folder_without_slices_says_what_to_unpack(tmp_path):
    (tmp_path / 'cvind.mat').write_bytes(b'')
    with pytest.raises(FileNotFoundError, match='unpack the four archives'):
        export_brain_mri(tmp_path, tmp_path / 'out')


def test_slice_that_stands_twice_is_named(tmp_path):
    for folder in ('a', 'b'):
        write(tmp_path / folder / '1.mat')
    with pytest.raises(ValueError, match='1.mat.*1.mat.*one number'):
        export_brain_mri(tmp_path, tmp_path / 'out')
