"""What is seen of each image and mask, and what would stop a run."""
import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from cfcn_plugin.annotation.samples import guided_datasets
from cfcn_plugin.annotation.validate import Surveyor, looks_inverted

SHAPE = (40, 60)
MASK = np.zeros(SHAPE, np.uint8)
MASK[10:30, 15:45] = 255


def survey(root, draws=0, after=(), **load):
    """Findings by the image's name."""
    names = sorted(p.name for p in (root / 'images').iterdir())
    lines = [f'images/{name},{"xy"[i % 2]}\n' for i, name in enumerate(names)]
    (root / 'labels.csv').write_text(''.join(['filename,label\n', *lines]))
    source = dict(type='PNGMasks', data_root=str(root), images='images', masks='masks',
                  **load.pop('source', {}))
    dataset = dict(
        type='CSVDataset', data_root=str(root), ann_file='labels.csv',
        classes=['x', 'y'], pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadActivationMask', source=source, **load), *after])
    cfg = Config(dict(train_dataloader=dict(dataset=dataset)))
    surveyor = Surveyor(guided_datasets(cfg), draws)
    return {name: surveyor(place) for name, place in zip(names, surveyor.places)}


@pytest.fixture
def root(tmp_path):
    """Images a and b with good masks."""
    rng = np.random.default_rng(0)
    (tmp_path / 'images').mkdir()
    (tmp_path / 'masks').mkdir()
    for name in 'ab':
        pixels = rng.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / 'images' / f'{name}.jpg')
        Image.fromarray(MASK).save(tmp_path / 'masks' / f'{name}.png')
    return tmp_path


def put(root, mask):
    Image.fromarray(mask).save(root / 'masks' / 'a.png')


def problems(finding):
    return [(problem.kind, problem.stops) for problem in finding.problems]


def test_good_pair_has_a_label_an_area_and_no_problem(root):
    found = survey(root)['b.jpg']
    assert found.image == 'images/b.jpg' and found.labels == (1, )
    assert found.guided and found.area == 0.25 and not found.problems


def test_missing_and_empty_masks_stop_unless_declared(root):
    (root / 'masks' / 'a.png').unlink()
    assert problems(survey(root)['a.jpg']) == [('missing', True)]
    found = survey(root, missing='unguided')['a.jpg']
    assert problems(found) == [('missing', False)] and not found.guided
    put(root, MASK * 0)
    assert problems(survey(root)['a.jpg']) == [('empty', True)]
    found = survey(root, empty='unguided')['a.jpg']
    assert problems(found) == [('empty', False)] and not found.guided


def test_mask_of_another_size_stops_a_run(root):
    put(root, MASK.T.copy())
    found = survey(root, missing='unguided', empty='unguided')['a.jpg']
    assert problems(found) == [('size', True)]
    assert '(60, 40)' in found.problems[0].reason


@pytest.mark.parametrize('damage', [b'', b'nothing'])
def test_file_that_cannot_be_read_is_told_and_the_next_one_seen(root, damage):
    (root / 'masks' / 'a.png').write_bytes(damage)
    assert problems(survey(root)['a.jpg']) == [('unusable', True)]
    (root / 'images' / 'a.jpg').write_bytes(damage)
    found = survey(root)
    assert problems(found['a.jpg']) == [('image', True)]
    assert found['b.jpg'].guided


def test_image_that_loads_cut_short_is_told(root):
    # as a bitmap: whether a JPEG loads depends on mmcv's backend
    path = root / 'images' / 'a.jpg'
    Image.open(path).save(path.with_suffix('.png'))
    path.unlink()
    path = path.with_suffix('.png')
    whole = path.read_bytes()
    path.write_bytes(whole[:len(whole) * 2 // 3])
    kinds = [kind for kind, _ in problems(survey(root)['a.png'])]
    assert kinds in (['image'], ['damaged'])


def test_full_mask_is_told_ignored_pixels_apart(root):
    put(root, MASK * 0 + 255)
    found = survey(root)['a.jpg']
    assert problems(found) == [('full', False)] and found.guided
    put(root, np.where(MASK, 255, 127).astype(np.uint8))
    assert problems(survey(root, source=dict(ignore=[127]))['a.jpg']) == [
        ('full', False)]


def test_mask_that_looks_inverted_is_told(root):
    put(root, 255 - MASK)
    assert problems(survey(root)['a.jpg']) == [('inverted', False)]


@pytest.mark.parametrize('top,bottom,left,right,inverted', [
    (10, 30, 15, 45, True),  # the middle is free
    (10, 20, 15, 30, False),  # a quarter of the middle is free
    (0, 40, 20, 40, True),  # a gap from top to bottom
    (0, 40, 0, 40, False),  # causal is a strip on the right
    (0, 0, 0, 0, False),
])
def test_inverted_is_a_causal_frame_around_a_free_middle(
        top, bottom, left, right, inverted):
    mask = np.ones(SHAPE, np.uint8)
    mask[top:bottom, left:right] = 0
    assert looks_inverted(mask) is inverted


def test_turned_image_is_told(root):
    exif = Image.Exif()
    exif[0x0112] = 3
    path = root / 'images' / 'a.jpg'
    Image.open(path).copy().save(path, exif=exif)
    assert problems(survey(root)['a.jpg']) == [('turned', False)]


def test_image_outside_the_list_is_not_asked_about(root):
    put(root, MASK.T.copy())
    (root / 'list.txt').write_text('images/b.jpg\n')
    found = survey(root, image_list=str(root / 'list.txt'))
    assert not found['a.jpg'].problems and not found['a.jpg'].guided
    assert found['b.jpg'].guided


# ---- draws of the whole pipeline -----------------------------------------------

PACK = dict(type='PackGuidedInputs')


def crop(size):
    return dict(type='MaskAware', transform=dict(type='RandomCrop', crop_size=size))


def test_objects_that_crops_leave_out_are_told(root):
    put(root, np.pad(np.full((2, 2), 255, np.uint8), ((0, 38), (0, 58))))  # a corner
    found = survey(root, draws=20, after=[crop(20), PACK])
    assert problems(found['a.jpg']) == [('vanishing', False)]
    assert found['a.jpg'].kept < 0.5 < found['b.jpg'].kept
    again = survey(root, draws=20, after=[crop(20), PACK])
    assert again['a.jpg'].kept == found['a.jpg'].kept


def test_draws_without_a_crop_keep_all_objects(root):
    assert survey(root, draws=2, after=[PACK])['a.jpg'].kept == 1
    assert survey(root)['a.jpg'].kept is None


def test_pipeline_that_leaves_masks_behind_is_told(root):
    bare = dict(type='RandomCrop', crop_size=20)
    found = survey(root, draws=1, after=[bare, PACK])['a.jpg']
    assert problems(found) == [('pipeline', True)]
    assert 'wrap every transform' in found.problems[0].reason


def test_draws_need_packed_samples(root):
    with pytest.raises(ValueError, match='ends with.*PackGuidedInputs'):
        survey(root, draws=1)
