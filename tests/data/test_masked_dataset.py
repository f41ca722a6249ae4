"""Torch data sets with masks: whose mask it is, how it moves, and what is refused."""

import logging
import pickle

import pytest
import torch
from masked_folder import COUNT, TO_TENSOR, blob, folder, is_true, masked, write
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    IterableDataset,
    Subset,
    TensorDataset,
)
from torchvision.transforms import v2

import cfcn_plugin
from cfcn_plugin.data import MaskedDataset
from cfcn_plugin.masks import MaskError


def test_each_image_has_its_mask_and_its_label(root):
    dataset = masked(root)
    assert len(dataset) == 2 * COUNT
    for index in range(len(dataset)):
        image, label, mask = dataset[index]
        guided = index % COUNT < COUNT - 1
        assert mask['guided'] is guided and label == index // COUNT
        assert image.shape == (3, 24, 32)
        assert mask['activation_mask'].shape == (24, 32)
        assert is_true(dataset[index]) is guided
    assert dataset.guided == [True, True, False] * 2


def test_the_given_data_set_does_not_change(root):
    dataset = folder(root)
    before = dict(vars(dataset))
    masked(root, dataset)[0]
    assert vars(dataset) == before and torch.is_tensor(dataset[0][0])


def test_subsets_and_joined_data_sets_find_the_masks_of_their_images(root):
    base = folder(root)
    joined = ConcatDataset([Subset(base, [4, 0]), base])
    dataset = masked(root, joined)
    assert len(dataset) == 8
    labels = [1, 0, 0, 0, 0, 1, 1, 1]
    assert [dataset[i][1] for i in range(8)] == labels
    assert dataset.guided == [True, True, *[True, True, False] * 2]
    assert all(is_true(dataset[i]) for i in range(8) if dataset.guided[i])
    assert dataset.path(0).endswith('b/1.png') and dataset.path(-1).endswith('b/2.png')
    guided = Subset(dataset, [i for i, is_so in enumerate(dataset.guided) if is_so])
    assert len(guided) == 6 and all(one[-1]['guided'] for one in guided)


def test_each_of_joined_data_sets_keeps_its_own_transform(root):
    small = v2.Compose([v2.Resize(12), TO_TENSOR])
    dataset = masked(root, ConcatDataset([folder(root), folder(root, small)]))
    for index, size in ((0, (24, 32)), (6, (12, 16))):
        image, _, mask = dataset[index]
        assert image.shape[-2:] == mask['activation_mask'].shape == size


def test_a_data_set_of_timm_keeps_the_mask_of_the_image_that_it_took(root, caplog):
    timm = pytest.importorskip('timm.data')
    (root / 'images/a/0.png').write_bytes(b'%!PS-Adobe no image')
    dataset = masked(root, timm.ImageDataset(root / 'images', transform=TO_TENSOR))
    with caplog.at_level(logging.WARNING):
        sample = dataset[0]
    assert 'Skipped sample (index 0)' in caplog.text
    assert is_true(sample) and (sample[-1]['activation_mask'] == blob(1)).all()
    assert is_true(dataset[4]) and dataset[4][1] == 1


# ---- which images are guided -----------------------------------------------------


def test_missing_masks_are_an_error_before_the_first_step_unless_declared(root):
    with pytest.raises(
        MaskError,
        match="2 guided images have no mask in PNGMasks.*`missing='unguided'`",
    ):
        masked(root, missing='error')
    with pytest.raises(MaskError, match='images/a/2.png. has no mask in PNGMasks'):
        masked(root, missing='error', check=False)[2]


def test_masks_that_belong_to_no_image_are_an_error_before_the_first_step(root):
    write(root / 'masks/a/typo.png', blob(0) * 255)
    with pytest.raises(MaskError, match='belong to no image'):
        masked(root)


def test_a_list_chooses_and_its_unknown_lines_are_named(root):
    chosen = root / 'list.txt'
    chosen.write_text('images/b/1.png\n')
    dataset = masked(root, Subset(folder(root), [0, 4]), image_list=str(chosen))
    assert dataset.guided == [False, True]
    assert [one[-1]['guided'] for one in dataset] == [False, True]
    chosen.write_text('images/b/1.png\nimages/b/9.png\n')
    with pytest.raises(MaskError, match="1 lines of list.*'images/b/9.png'"):
        masked(root, image_list=str(chosen))


# ---- loaders -----------------------------------------------------------------------


@pytest.mark.parametrize('workers', [0, 2])
def test_a_loader_gives_images_labels_and_masks(root, workers):
    loader = DataLoader(
        masked(root), 4, num_workers=workers, collate_fn=cfcn_plugin.collate
    )
    for images, labels, masks in loader:
        assert isinstance(masks, cfcn_plugin.MaskBatch)
        assert masks.mask.shape == (len(images), 1, 24, 32)
        white = (images[:, :1] > 0.5).to(torch.uint8)
        assert torch.equal(masks.mask[masks.guided], white[masks.guided])
        assert len(labels) == len(masks.guided)
        # of one memory also after its way from a worker, so that one copy moves it
        assert masks.mask.untyped_storage().data_ptr() == (
            masks.guided.untyped_storage().data_ptr()
        )


def test_the_data_set_can_be_sent_to_another_process(root):
    again = pickle.loads(pickle.dumps(masked(root)))
    assert is_true(again[0]) and again.guided == [True, True, False] * 2


# ---- what cannot be guided -----------------------------------------------------------


class Endless(IterableDataset):
    def __iter__(self):
        yield torch.rand(3, 8, 8), 0


def test_data_sets_without_paths_are_refused_with_what_to_give(root):
    tensors = TensorDataset(torch.rand(2, 3, 8, 8), torch.arange(2))
    with pytest.raises(TypeError, match=r'does not say which file.*path=function'):
        masked(root, tensors)
    with pytest.raises(TypeError, match='need a map-style data set'):
        masked(root, Endless(), path=str)
    with pytest.raises(ValueError, match='one MaskedDataset each'):
        masked(root, ConcatDataset([folder(root)]), path=str)


def test_options_of_wrong_type_are_refused(root):
    with pytest.raises(TypeError, match='`source` must be a mask source such as'):
        MaskedDataset(folder(root), str(root / 'masks'))
    with pytest.raises(ValueError, match='`min_visible` must be in'):
        masked(root, min_visible=2)
    with pytest.raises(TypeError, match='`check` must be True or False'):
        masked(root, check='yes')
    with pytest.raises(ValueError, match='`missing` must be one of'):
        masked(root, missing='maybe')
