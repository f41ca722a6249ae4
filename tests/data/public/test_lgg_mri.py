"""LGG MRI out of kaggle_3m: labels from masks, no patient on both sides."""

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.data.public.lgg_mri import export_lgg_mri
from cfcn_plugin.masks import MaskError


@pytest.fixture(scope='module')
def root(lgg_source, tmp_path_factory):
    return export_lgg_mri(lgg_source, tmp_path_factory.mktemp('data') / 'lgg')


@pytest.fixture(scope='module')
def rows(root):
    with (root / 'labels.csv').open(newline='') as stream:
        return list(csv.DictReader(stream))


def test_a_slice_with_a_mask_is_a_tumour_and_has_a_mask_file(root, rows):
    assert len(rows) == 12
    for row in rows:
        tumour = not row['filename'].endswith('_1.png')
        assert row['label'] == ('tumor' if tumour else 'no_tumor')
        assert (root / row['filename'].replace('images', 'masks')).exists() == tumour


def test_pixels_are_the_published_ones(root, lgg_source, rows):
    name = 'TCGA_CS_4941_19960909_10'
    published = lgg_source / name.rsplit('_', 1)[0] / name
    for ours, theirs in (
        ('images', f'{published}.tif'),
        ('masks', f'{published}_mask.tif'),
    ):
        np.testing.assert_array_equal(
            np.asarray(Image.open(root / ours / f'{name}.png')),
            np.asarray(Image.open(theirs)),
        )


def test_no_patient_is_on_both_sides(rows):
    sides = {}
    for row in rows:
        assert row['filename'].startswith(f'images/{row["patient"]}_')
        sides.setdefault(row['split'], set()).add(row['patient'])
    assert set(sides) == {'train', 'test'}
    assert not sides['train'] & sides['test']


def test_slice_without_its_mask_is_named(lgg_source, tmp_path):
    shutil.copytree(lgg_source, tmp_path / 'in')
    (tmp_path / 'in/TCGA_CS_4942_19960909/TCGA_CS_4942_19960909_2_mask.tif').unlink()
    with pytest.raises(FileNotFoundError, match='TCGA_CS_4942_19960909_2.tif.*no mask'):
        export_lgg_mri(tmp_path / 'in', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_palette_of_a_mask_goes_by_its_colours(lgg_source, tmp_path):
    shutil.copytree(lgg_source, tmp_path / 'in')
    name = 'TCGA_CS_4941_19960909_10'
    file = tmp_path / 'in' / name.rsplit('_', 1)[0] / f'{name}_mask.tif'
    mask = np.asarray(Image.open(file)) > 0
    image = Image.fromarray(1 - mask.astype(np.uint8))
    image.putpalette([255, 255, 255, 0, 0, 0])
    image.save(file)
    root = export_lgg_mri(tmp_path / 'in', tmp_path / 'out')
    np.testing.assert_array_equal(
        np.asarray(Image.open(root / 'masks' / f'{name}.png')) > 0, mask
    )


def test_image_that_exif_turns_is_not_the_published_one(lgg_source, tmp_path):
    shutil.copytree(lgg_source, tmp_path / 'in')
    name = 'TCGA_CS_4941_19960909_10'
    file = tmp_path / 'in' / name.rsplit('_', 1)[0] / f'{name}.tif'
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.open(file).copy().save(file, exif=exif)
    with pytest.raises(MaskError, match=rf'{name}.tif.*EXIF orientation \(3\)'):
        export_lgg_mri(tmp_path / 'in', tmp_path / 'out')


def test_wrong_folder_says_which_is_right(lgg_source, tmp_path):
    with pytest.raises(FileNotFoundError, match='give the folder kaggle_3m'):
        export_lgg_mri(lgg_source.parent, tmp_path / 'out')
