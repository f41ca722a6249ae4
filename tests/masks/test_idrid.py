"""IDRiD in the publisher's layout: several lesion files of one image."""

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS
from PIL import Image

from cfcn_plugin.masks import IDRiDMasks, MaskError, MaskSizeError
from cfcn_plugin.masks.idrid import FOLDERS
from cfcn_plugin.mm.transforms import LoadActivationMask

IMAGES = 'A. Segmentation/1. Original Images'
MASKS = 'A. Segmentation/2. All Segmentation Groundtruths'
SHAPE = (4, 6)
TRAIN, TEST = 'a. Training Set', 'b. Testing Set'


def lesion(row):
    mask = np.zeros(SHAPE, bool)
    mask[row, 1:4] = True
    return mask


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


def write_mask(root, name, kind, mask, split=TRAIN):
    """Red on black by a palette, compressed, as the published files are."""
    image = Image.fromarray(mask.astype(np.uint8))
    image.putpalette([0, 0, 0, 255, 0, 0])
    path = root / MASKS / split / FOLDERS[kind] / f'{name}_{kind}.tif'
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, compression='tiff_lzw')
    return path


@pytest.fixture
def root(tmp_path):
    """IDRiD_01 has MA, EX and OD, IDRiD_55 of the test set SE, IDRiD_02 nothing."""
    for name, split in (('IDRiD_01', TRAIN), ('IDRiD_02', TRAIN), ('IDRiD_55', TEST)):
        write(tmp_path / IMAGES / split / f'{name}.jpg', Image.new('RGB', SHAPE[::-1]))
    for row, kind in enumerate(('MA', 'EX', 'OD')):
        write_mask(tmp_path, 'IDRiD_01', kind, lesion(row))
    write_mask(tmp_path, 'IDRiD_55', 'SE', lesion(3), TEST)
    return tmp_path


def sample(root, name='IDRiD_01', split=TRAIN, shape=SHAPE):
    return dict(img_path=str(root / IMAGES / split / f'{name}.jpg'), ori_shape=shape)


def test_each_lesion_is_a_plane_with_its_place_in_the_list_as_class(root):
    record = IDRiDMasks(data_root=str(root))(sample(root))
    assert record.classes.tolist() == [0, 2]  # MA and EX of MA, HE, EX, SE
    np.testing.assert_array_equal(record.mask, np.stack([lesion(0), lesion(1)]))
    assert record.mask.dtype == np.uint8 and record.ignore is None
    assert 'IDRiD_01_MA.tif' in record.file and 'IDRiD_01_EX.tif' in record.file


def test_which_lesions_are_labels_is_an_option(root):
    source = TASK_UTILS.build(
        dict(type='IDRiDMasks', data_root=str(root), lesions=['OD', 'MA'])
    )
    record = source(sample(root))
    assert record.classes.tolist() == [0, 1]
    np.testing.assert_array_equal(record.mask, np.stack([lesion(2), lesion(0)]))


def test_test_set_lies_beside_the_training_set(root):
    record = IDRiDMasks(data_root=str(root))(sample(root, 'IDRiD_55', TEST))
    assert record.classes.tolist() == [3]
    np.testing.assert_array_equal(record.mask[0], lesion(3))


def test_image_without_a_lesion_has_no_mask(root):
    assert IDRiDMasks(data_root=str(root))(sample(root, 'IDRiD_02')) is None
    assert IDRiDMasks(data_root=str(root), lesions=['HE'])(sample(root)) is None


def test_lesion_file_without_a_lesion_has_no_plane(root):
    write_mask(root, 'IDRiD_01', 'HE', lesion(0) & False)
    record = IDRiDMasks(data_root=str(root))(sample(root))
    assert record.classes.tolist() == [0, 2]


@pytest.mark.parametrize('mode', ['1', 'L', 'RGB', 'RGBA', 'LA'])
def test_what_is_not_black_is_lesion_in_every_kind_of_file(root, mode):
    image = Image.fromarray(lesion(2).astype(np.uint8) * 255).convert(mode)
    if mode == 'RGBA':  # blue, and white where nothing shows
        pixels = np.array(image)
        pixels[lesion(2)] = (0, 0, 9, 255)
        pixels[0] = (255, 255, 255, 0)
        image = Image.fromarray(pixels)
    write(root / MASKS / TRAIN / FOLDERS['MA'] / 'IDRiD_01_MA.tif', image)
    record = IDRiDMasks(data_root=str(root), lesions=['MA'])(sample(root))
    np.testing.assert_array_equal(record.mask[0], lesion(2))


@pytest.mark.parametrize('shown', [(255, 255, 255), (200, 0, 0)])
def test_palette_goes_by_its_colours(root, shown):
    image = Image.fromarray(1 - lesion(2).astype(np.uint8))
    image.putpalette([*shown, 0, 0, 0])
    write(root / MASKS / TRAIN / FOLDERS['MA'] / 'IDRiD_01_MA.tif', image)
    record = IDRiDMasks(data_root=str(root), lesions=['MA'])(sample(root))
    np.testing.assert_array_equal(record.mask[0], lesion(2))


def test_loader_passes_planes_and_classes_on(root):
    load = LoadActivationMask(IDRiDMasks(data_root=str(root)))
    results = load({**sample(root), 'img': np.zeros((*SHAPE, 3), np.uint8)})
    assert results['activation_mask'].shape == (2, *SHAPE)
    assert results['mask_classes'].tolist() == [0, 2]


def test_other_folders_are_options(root):
    (root / 'A. Segmentation').rename(root / 'seg')
    source = IDRiDMasks(
        masks=MASKS.split('/')[1],
        images=IMAGES.split('/')[1],
        data_root=str(root / 'seg'),
    )
    image = root / 'seg' / IMAGES.split('/')[1] / TRAIN / 'IDRiD_01.jpg'
    assert source(dict(img_path=str(image), ori_shape=SHAPE)).mask.shape[0] == 2


def test_keys_and_check_know_chosen_lesions_only(root):
    source = IDRiDMasks(data_root=str(root))
    assert source.keys() == [f'{IMAGES}/{TRAIN}/IDRiD_01', f'{IMAGES}/{TEST}/IDRiD_55']
    source.check()
    write_mask(root, 'IDRiD_77', 'OD', lesion(0))
    source.check()
    with pytest.raises(MaskError, match='1 masks .*IDRiD_77_OD.tif'):
        IDRiDMasks(data_root=str(root), lesions=['OD']).check()


# ---- what is wrong ---------------------------------------------------------


@pytest.mark.parametrize('lesions', [['XX'], [], ['MA', 'MA']])
def test_wrong_lesions_are_named_with_the_five(lesions):
    with pytest.raises(ValueError, match="`lesions` must be some of .*'MA'.*'OD'"):
        IDRiDMasks(lesions=lesions)


def test_missing_folder_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match='2. All Segm.*`data_root`'):
        IDRiDMasks(data_root=str(tmp_path)).check()


def test_folder_in_another_layout_shows_the_expected_one(root):
    (root / MASKS / TRAIN / FOLDERS['MA']).rename(root / MASKS / TRAIN / 'MA')
    with pytest.raises(MaskError, match="no mask of .'MA',.*1. Micro.*/IDRiD_01"):
        IDRiDMasks(data_root=str(root), lesions=['MA']).check()


def test_image_of_another_folder_is_an_error(root):
    other = dict(img_path=str(root / 'photos' / 'IDRiD_01.jpg'), ori_shape=SHAPE)
    with pytest.raises(MaskError, match="'photos/IDRiD_01.jpg' is not below images="):
        IDRiDMasks(data_root=str(root))(other)


def test_lesion_file_of_another_size_is_named(root):
    path = write_mask(root, 'IDRiD_01', 'EX', lesion(0).T)
    with pytest.raises(MaskSizeError, match=r'\(6, 4\), its image \(4, 6') as caught:
        IDRiDMasks(data_root=str(root))(sample(root))
    assert f"'{path}': height" in str(caught.value)


def test_broken_lesion_file_is_named(root):
    path = root / MASKS / TRAIN / FOLDERS['EX'] / 'IDRiD_01_EX.tif'
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(MaskError, match='cannot be read.*is it whole') as caught:
        IDRiDMasks(data_root=str(root))(sample(root))
    assert str(path) in str(caught.value)


def test_symlink_out_of_the_masks_is_refused(root):
    path = root / MASKS / TRAIN / FOLDERS['HE'] / 'IDRiD_01_HE.tif'
    path.parent.mkdir()
    path.symlink_to('/etc/hostname')
    with pytest.raises(MaskError, match="links to '/etc/hostname'"):
        IDRiDMasks(data_root=str(root))(sample(root))


# ---- flat: all lesions' files in one folder -------------------------------------


@pytest.fixture
def flat(tmp_path):
    write(tmp_path / 'images/IDRiD_01.png', Image.new('RGB', SHAPE[::-1]))
    for row, kind in ((0, 'MA'), (1, 'EX')):
        write(tmp_path / f'masks/IDRiD_01_{kind}.png', Image.fromarray(lesion(row)))
    return tmp_path


def flat_source(root, **kwargs):
    return IDRiDMasks(
        data_root=str(root),
        images='images',
        masks='masks',
        suffix='.png',
        flat=True,
        **kwargs,
    )


def test_flat_files_are_planes_too(flat):
    record = flat_source(flat, lesions=['EX', 'SE', 'MA'])(
        dict(img_path=str(flat / 'images/IDRiD_01.png'), ori_shape=SHAPE)
    )
    assert record.classes.tolist() == [0, 2]
    np.testing.assert_array_equal(record.mask, np.stack([lesion(1), lesion(0)]))


def test_flat_keys_are_the_images(flat):
    assert flat_source(flat).keys() == ['images/IDRiD_01']
    flat_source(flat).check()


def test_flat_mask_of_no_image_is_found(flat):
    (flat / 'images/IDRiD_01.png').unlink()
    with pytest.raises(MaskError, match='belong to no image.*IDRiD_01_EX'):
        flat_source(flat).check()


def test_flat_layout_that_is_not_declared_is_refused(flat):
    with pytest.raises(MaskError, match='has no mask of .* or `flat`'):
        IDRiDMasks(
            data_root=str(flat), images='images', masks='masks', suffix='.png'
        ).check()
