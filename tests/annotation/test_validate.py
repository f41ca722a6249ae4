"""Problems of images and masks, and the problems that stop a run."""

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.annotation.samples import FolderSamples
from cfcn_plugin.annotation.validate import MaskValidator, is_likely_inverted
from cfcn_plugin.masks import MaskLoader, PNGMasks

SHAPE = (40, 60)
MASK = np.zeros(SHAPE, np.uint8)
MASK[10:30, 15:45] = 255


class LabelledSamples(FolderSamples):
    def __getitem__(self, index):
        return dict(super().__getitem__(index), gt_label=index % 2)


def validate(root, source=(), grid=None, **options):
    """Findings by the image's name."""
    source = PNGMasks('masks', 'images', data_root=str(root), **dict(source))
    loader = MaskLoader(source, **options)
    validator = MaskValidator([LabelledSamples(root / 'images', loader)], grid)
    return {finding.image: finding for finding in map(validator, validator.places)}


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
    found = validate(root)['b.jpg']
    assert found.image == 'b.jpg' and found.labels == (1,)
    assert found.guided and found.area == 0.25 and not found.problems


def test_best_focus_is_that_of_the_cell_with_most_of_the_mask(root):
    assert validate(root)['a.jpg'].best is None
    assert validate(root, grid=(2, 2))['a.jpg'].best == pytest.approx(0.25)
    assert validate(root, grid=(1, 3))['a.jpg'].best == pytest.approx(0.5)
    assert validate(root, grid=(4, 4))['a.jpg'].best == pytest.approx(1)


def test_missing_and_empty_masks_stop_unless_declared(root):
    (root / 'masks' / 'a.png').unlink()
    assert problems(validate(root)['a.jpg']) == [('missing', True)]
    found = validate(root, missing='unguided')['a.jpg']
    assert problems(found) == [('missing', False)] and not found.guided
    put(root, MASK * 0)
    assert problems(validate(root)['a.jpg']) == [('empty', True)]
    found = validate(root, empty='unguided')['a.jpg']
    assert problems(found) == [('empty', False)] and not found.guided


def test_mask_of_another_size_stops_a_run(root):
    put(root, MASK.T.copy())
    found = validate(root, missing='unguided', empty='unguided')['a.jpg']
    assert problems(found) == [('size', True)]
    assert '(60, 40)' in found.problems[0].reason


def test_mask_of_two_images_stops_a_run_at_each(root):
    (root / 'images' / 'b.jpg').rename(root / 'images' / 'a.jpeg')
    for name, found in validate(root).items():
        assert name in ('a.jpg', 'a.jpeg') and problems(found) == [('unusable', True)]
        assert "2 images, 'images/a.jpeg', 'images/a.jpg'" in found.problems[0].reason
    for found in validate(root, on_error='unguided').values():
        assert problems(found) == [('unusable', False)]


def test_error_that_is_no_mask_error_stops_a_run_under_every_policy(root):

    class Broken(PNGMasks):
        def read(self, *_):
            raise LookupError('unknown encoding: foo')

    for policy in ('raise', 'unguided'):
        loader = MaskLoader(Broken('masks', 'images', str(root)), on_error=policy)
        validator = MaskValidator([LabelledSamples(root / 'images', loader)])
        assert problems(validator((0, 0))) == [('unusable', True)]


@pytest.mark.parametrize('damage', [b'', b'nothing'])
def test_file_that_cannot_be_read_is_reported_and_the_next_one_seen(root, damage):
    (root / 'masks' / 'a.png').write_bytes(damage)
    assert problems(validate(root)['a.jpg']) == [('unusable', True)]
    (root / 'images' / 'a.jpg').write_bytes(damage)
    found = validate(root)
    assert problems(found['a.jpg']) == [('image', True)]
    assert found['b.jpg'].guided


def test_image_that_loads_cut_short_is_reported(root):
    # as a bitmap: whether a JPEG loads depends on the decoder
    path = root / 'images' / 'a.jpg'
    Image.open(path).save(path.with_suffix('.png'))
    path.unlink()
    path = path.with_suffix('.png')
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    kinds = [kind for kind, _ in problems(validate(root)['a.png'])]
    assert kinds in (['image'], ['damaged'])


def test_full_mask_is_reported_ignored_pixels_apart(root):
    put(root, MASK * 0 + 255)
    found = validate(root)['a.jpg']
    assert problems(found) == [('full', False)] and found.guided
    put(root, np.where(MASK, 255, 127).astype(np.uint8))
    assert problems(validate(root, source=dict(ignore=[127]))['a.jpg']) == [
        ('full', False)
    ]


def test_mask_that_looks_inverted_is_reported(root):
    put(root, 255 - MASK)
    assert problems(validate(root)['a.jpg']) == [('inverted', False)]


@pytest.mark.parametrize(
    'top,bottom,left,right,inverted',
    [
        (10, 30, 15, 45, True),  # the middle is free
        (10, 20, 15, 30, False),  # a quarter of the middle is free
        (0, 40, 20, 40, True),  # a gap from top to bottom
        (0, 40, 0, 40, False),  # causal is a strip on the right
        (0, 0, 0, 0, False),
    ],
)
def test_inverted_is_a_causal_frame_around_a_free_middle(
    top, bottom, left, right, inverted
):
    mask = np.ones(SHAPE, np.uint8)
    mask[top:bottom, left:right] = 0
    assert is_likely_inverted(mask) is inverted


def test_turned_image_is_reported(root):
    exif = Image.Exif()
    exif[0x0112] = 3
    path = root / 'images' / 'a.jpg'
    Image.open(path).copy().save(path, exif=exif)
    assert problems(validate(root)['a.jpg']) == [('turned', False)]


def test_image_outside_the_list_is_not_asked_about(root):
    put(root, MASK.T.copy())
    (root / 'list.txt').write_text('images/b.jpg\n')
    found = validate(root, image_list=str(root / 'list.txt'))
    assert not found['a.jpg'].problems and not found['a.jpg'].guided
    assert found['b.jpg'].guided
