"""Samples with masks: how a mask moves with its image, and what is refused."""

import numpy as np
import pytest
import torch
from masked_folder import COUNT, TO_TENSOR, blob, folder, is_true, masked, write
from PIL import Image
from torch.utils.data import Dataset
from torchvision import transforms as v1
from torchvision.datasets import VisionDataset
from torchvision.transforms import InterpolationMode, v2

from cfcn_plugin.data import MaskedDataset, load_image
from cfcn_plugin.masks import BoxMasks, MaskError, MaskRecord, MaskSource, PNGMasks


def test_image_and_mask_are_drawn_together(root):
    nearest = dict(interpolation=InterpolationMode.NEAREST)
    dataset = masked(
        root,
        folder(
            root,
            v2.Compose(
                [
                    v2.ToImage(),
                    v2.RandomResizedCrop(16, **nearest),
                    v2.RandomHorizontalFlip(),
                    v2.RandomRotation(30, **nearest),
                    v2.ToDtype(torch.float32, scale=True),
                ]
            ),
        ),
    )
    torch.manual_seed(0)
    shown = 0
    for _ in range(20):
        sample = dataset[0]
        assert sample[-1]['cropped_out'] is not sample[-1]['guided']
        shown += sample[-1]['guided']
        assert is_true(sample) or not sample[-1]['guided']
    assert shown > 5


def test_images_are_those_of_the_data_set_alone(root):
    transform = v2.Compose([v2.RandomResizedCrop(16), TO_TENSOR])
    alone, together = folder(root, transform), masked(root, folder(root, transform))
    for index in range(len(alone)):
        torch.manual_seed(index)
        expected = alone[index][0]
        torch.manual_seed(index)
        torch.testing.assert_close(together[index][0], expected)


def test_a_label_transform_stays(root):
    dataset = masked(root, folder(root, target_transform=lambda label: label + 10))
    assert dataset[3][1] == 11


class Own(Dataset):
    """A user's data set: a dict a sample, and no file names."""

    def __init__(self, root, transform=None):
        self.files = sorted((root / 'images').glob('*/*.png'))
        self.transform = transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        image = Image.open(self.files[index]).convert('RGB')
        return dict(pixel_values=self.transform(image), labels=index // COUNT, id=index)

    def path(self, index):
        return str(self.files[index])


def test_a_data_set_of_dicts_gets_one_more_key(root):
    own = Own(root, TO_TENSOR)
    sample = masked(root, own, path=own.path)[4]
    assert sorted(sample) == ['id', 'labels', 'masks', 'pixel_values']
    assert is_true((sample['pixel_values'], sample['masks']))


def test_a_transform_can_be_given_for_a_data_set_that_has_none(root):
    own = Own(root, lambda image: image)
    del own.transform
    own.__class__ = type(
        'Bare',
        (Own,),
        {
            '__getitem__': lambda self, i: (
                Image.open(self.files[i]).convert('RGB'),
                i // COUNT,
            )
        },
    )
    transform = v2.Compose(
        [
            v2.ToImage(),
            v2.RandomHorizontalFlip(1.0),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )
    sample = masked(root, own, path=own.path, transform=transform)[0]
    assert is_true(sample) and not (sample[-1]['activation_mask'] == blob(0)).all()


def test_a_data_set_that_resizes_by_itself_is_told_where_its_transform_goes(root):

    class Resizing(Own):
        def __init__(self, root):
            super().__init__(root)
            del self.transform

        def __getitem__(self, index):
            return Image.open(self.files[index]).convert('RGB').resize((8, 8)), 0

    own = Resizing(root)
    with pytest.raises(
        MaskError,
        match=r'has changed it from \(24, 32\) to \(8, 8\).*'
        r'MaskedDataset\(transform=...\)',
    ):
        masked(root, own, path=own.path)[0]


def test_ignored_pixels_and_the_planes_of_classes_move_along(root):
    codes = np.zeros((24, 32), np.uint8)
    codes[:12, :8], codes[12:, :8], codes[:, 28:] = 10, 20, 255
    write(root / 'masks/a/0.png', codes)
    planes = PNGMasks(
        'masks',
        images='images',
        data_root=str(root),
        causal=[10, 20],
        classes=[2, 5],
        ignore=[255],
    )
    dataset = MaskedDataset(
        folder(root, v2.Compose([v2.RandomHorizontalFlip(1.0), TO_TENSOR])),
        planes,
        missing='unguided',
        empty='unguided',
    )
    mask = dataset[0][-1]
    assert mask['mask_classes'].tolist() == [2, 5]
    flipped = codes[:, ::-1]
    np.testing.assert_array_equal(
        mask['activation_mask'], np.stack([flipped == 10, flipped == 20])
    )
    np.testing.assert_array_equal(mask['ignore_mask'], flipped == 255)


def test_a_draw_that_shows_too_little_of_the_object_is_unguided(root):
    corner = v2.Compose([v2.CenterCrop((24, 16)), TO_TENSOR])  # columns 8 to 24
    for least, guided in ((0.0, True), (0.5, True), (0.9, False)):
        mask = masked(root, folder(root, corner), min_visible=least)[0][-1]
        assert mask['guided'] is guided and mask['cropped_out'] is not guided
        assert mask['activation_mask'].any() == guided


class Labelled(MaskSource):
    """Answers by the label of a sample."""

    def __call__(self, results):
        mask = np.full(results['ori_shape'], results['gt_label'], np.uint8)
        return MaskRecord(mask, 'labels')

    def keys(self):
        return []

    def check(self):
        pass


def test_a_source_can_ask_for_the_label(root):
    dataset = MaskedDataset(
        folder(root), Labelled(str(root)), empty='unguided', check=False
    )
    assert [dataset[i][-1]['guided'] for i in (0, 3)] == [False, True]


def test_a_mask_that_cannot_be_used_is_an_error_or_counted(root):
    write(root / 'masks/a/0.png', blob(0, 12, 12) * 255)
    with pytest.raises(MaskError, match=r'height and width \(12, 12\)'):
        masked(root)[0]
    warnings = []
    dataset = masked(root, on_error='unguided', warn=warnings.append)
    flags = [dataset[i][-1]['mask_error'] for i in range(3)]
    assert flags == [True, False, False] and len(warnings) == 1
    assert not dataset[0][-1]['guided']


# ---- files ------------------------------------------------------------------------


def turned(root):
    """The first image stored on its side, upright by its EXIF orientation."""
    upright = blob(0)[..., None].repeat(3, -1) * 255
    stored = np.rot90(upright, 1)  # what orientation 6 turns back
    exif = Image.Exif()
    exif[0x0112] = 6
    write(root / 'images/a/0.png', np.ascontiguousarray(stored), exif=exif)


def test_a_turned_photograph_is_refused_unless_it_is_loaded_upright(root):
    turned(root)
    with pytest.raises(MaskError, match='loader=cfcn_plugin.data.load_image'):
        masked(root)[0]
    assert is_true(masked(root, folder(root, loader=load_image))[0])


def test_a_mask_like_the_stored_pixels_fits_them_with_exif(root):
    turned(root)
    write(root / 'masks/a/0.png', np.ascontiguousarray(np.rot90(blob(0), 1)) * 255)
    with pytest.raises(MaskError, match='set `exif=True`'):
        masked(root, folder(root, loader=load_image))[0]
    for dataset in (folder(root), folder(root, loader=load_image)):
        assert is_true(masked(root, dataset, exif=True)[0])


def test_no_format_that_runs_a_program_is_opened(root):
    (root / 'images/a/0.png').write_bytes(b'%!PS-Adobe-3.0 EPSF-3.0\n')
    with pytest.raises(OSError, match="images/a/0.png' cannot be read"):
        masked(root)[0]


def test_outlines_are_refined_from_the_loaded_image(root):
    pytest.importorskip('cv2')
    from cfcn_plugin.masks import GrabCut

    (root / 'boxes.csv').write_text('filename,x0,y0,x1,y1\nimages/a/0.png,4,2,21,17\n')
    boxes = BoxMasks('boxes.csv', data_root=str(root))
    dataset = MaskedDataset(folder(root), boxes, missing='unguided', refine=GrabCut())
    assert is_true(dataset[0])


# ---- what cannot be guided -----------------------------------------------------------


def test_a_transform_of_v1_is_refused_by_its_name(root):
    old = v1.Compose([v1.RandomResizedCrop(8), v1.ToTensor()])
    with pytest.raises(
        ValueError,
        match='torchvision RandomResizedCrop leaves masks be'
        'hind: write v2.RandomResizedCrop',
    ):
        masked(root, folder(root, old))


def test_two_transforms_and_joint_transforms_of_the_label_are_refused(root):
    with pytest.raises(ValueError, match='give one of them'):
        masked(root, transform=TO_TENSOR)

    class Pairs(VisionDataset):
        samples = [('images/a/0.png', 0)]

        def __getitem__(self, index):
            return None

    with pytest.raises(ValueError, match='`transform` and `target_transform` apart'):
        masked(root, Pairs(root, transforms=lambda image, label: (image, label)))


def test_samples_of_another_form_are_refused(root):

    class Strange(Own):
        def __getitem__(self, index):
            return {'x': 1} if index else torch.rand(3, 8, 8)

    own = Strange(root)
    dataset = masked(root, own, path=own.path)
    with pytest.raises(TypeError, match=r'expected samples \(image, label\) or dicts'):
        dataset[0]
    with pytest.raises(TypeError, match=r"has the keys \['x'\]: expected its image as"):
        dataset[1]
