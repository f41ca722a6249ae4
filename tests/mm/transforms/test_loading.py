"""Loading the mask of an image: choice, checks, and orientation."""

import copy
import pickle

import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmengine.logging import MMLogger
from mmpretrain.registry import TRANSFORMS
from PIL import Image, features

from cfcn_plugin.masks import MaskError, MaskRecord, MaskSource, PNGMasks, guidance_rank
from cfcn_plugin.masks.exif import turn_upright
from cfcn_plugin.mm.transforms import LoadActivationMask

EXIF_ORIENTATION = 0x0112
HEIGHT, WIDTH = 24, 40


class OneMask(MaskSource):
    """Every image has the mask that the test made."""

    def __init__(self, mask, **fields):
        super().__init__()
        self.record = MaskRecord(mask, 'made by hand', **fields)

    def __call__(self, results):
        return self.record

    def keys(self):
        return []

    def check(self):
        pass


def box():
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[2:10, 4:30] = True
    return mask


def write(root, mask=None, name='a', orientation=None):
    """An image, green where the mask is, and the mask where there is one."""
    shown = box() if mask is None else mask
    pixels = np.full((*shown.shape, 3), 20, np.uint8)
    pixels[shown] = (20, 230, 20)
    path = root / 'images' / f'{name}.jpg'
    path.parent.mkdir(exist_ok=True)
    exif = Image.Exif()
    if orientation is not None:
        exif[EXIF_ORIENTATION] = orientation
    Image.fromarray(pixels).save(path, quality=95, subsampling='4:4:4', exif=exif)
    if mask is not None:
        write_mask(root, mask, name)
    return path


def write_mask(root, mask, name='a'):
    path = root / 'masks' / f'{name}.png'
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)
    return path


def loader(root, **kwargs):
    return LoadActivationMask(
        PNGMasks('masks', 'images', data_root=str(root)), **kwargs
    )


def load(root, name='a', image=None, **kwargs):
    results = LoadImageFromFile(**(image or {}))(
        dict(img_path=str(root / 'images' / f'{name}.jpg'), gt_label=0)
    )
    return loader(root, **kwargs)(results)


def green(image):
    """Where a BGR image is green."""
    return image[..., 1] > 125


# ---- what is added ---------------------------------------------------------


def test_coarse_mask_is_refined_on_the_loaded_image(tmp_path):
    write(tmp_path, box())
    coarse = np.ones((HEIGHT, WIDTH), bool)
    coarse[14:] = coarse[:, 34:] = False
    write_mask(tmp_path, coarse)
    results = load(tmp_path, refine=dict(type='GrabCut', cache=str(tmp_path / 'cache')))
    outline = results['activation_mask']
    assert (outline & box()).sum() / (outline | box()).sum() > 0.75
    assert (tmp_path / 'cache').is_dir()
    assert results['outline_ways'].total() == 1
    assert 'outline_ways' not in load(tmp_path)


def test_guided_image_gets_its_mask(tmp_path):
    write(tmp_path, box())
    results = load(tmp_path)
    assert results['guided'] is True
    assert results['activation_mask'].dtype == np.uint8
    np.testing.assert_array_equal(results['activation_mask'], box())
    assert 'ignore_mask' not in results and 'mask_classes' not in results


def test_masks_by_class_and_ignore_mask_are_passed_on():
    planes, classes = np.stack([box(), ~box()]).astype(np.uint8), np.array([2, 5])
    ignore = box().astype(np.uint8)
    results = LoadActivationMask(OneMask(planes, classes=classes, ignore=ignore))(
        dict(img=np.zeros((HEIGHT, WIDTH, 3), np.uint8), sample_idx=3)
    )
    np.testing.assert_array_equal(results['activation_mask'], planes)
    np.testing.assert_array_equal(results['mask_classes'], classes)
    np.testing.assert_array_equal(results['ignore_mask'], ignore)


def test_config_builds_loader_and_source(tmp_path):
    write(tmp_path, box())
    built = TRANSFORMS.build(
        dict(
            type='LoadActivationMask',
            missing='unguided',
            source=dict(
                type='PNGMasks', masks='masks', images='images', data_root=str(tmp_path)
            ),
        )
    )
    assert isinstance(built.source, PNGMasks)
    assert "missing='unguided'" in repr(built) and 'source=PNGMasks' in repr(built)


# ---- missing and empty -----------------------------------------------------


def test_missing_mask_names_image_source_and_remedy(tmp_path):
    path = write(tmp_path)
    with pytest.raises(MaskError, match='has no mask in PNGMasks') as caught:
        load(tmp_path)
    assert f"image '{path}'" in str(caught.value)
    assert "`missing='unguided'`" in str(caught.value)


def test_missing_mask_may_be_declared_unguided(tmp_path):
    write(tmp_path)
    results = load(tmp_path, missing='unguided')
    assert results['guided'] is False and 'activation_mask' not in results


# ---- images that are only predicted ----------------------------------------

PATHS = {
    'no name': lambda root: {},
    'no mask': lambda root: dict(img_path=str(root / 'images' / 'b.jpg')),
    'outside of images': lambda root: dict(img_path=str(root / 'b.jpg')),
    'outside of data_root': lambda root: dict(img_path='/elsewhere/b.jpg'),
}


@pytest.mark.parametrize('kind', PATHS)
@pytest.mark.parametrize(
    'options', [{}, dict(fraction=0.99), dict(on_error='unguided')]
)
@pytest.mark.parametrize('label', [dict(gt_label=0), dict(gt_score=[0.0, 1.0])])
def test_image_without_a_mask_is_unguided_where_it_has_no_label(
    tmp_path, kind, options, label
):
    write(tmp_path, box())
    image = dict(img=np.zeros((HEIGHT, WIDTH, 3), np.uint8), **PATHS[kind](tmp_path))
    results = loader(tmp_path, **options)(dict(image))
    assert results['guided'] is False and 'activation_mask' not in results
    assert results.get('mask_error', False) is False
    if 'on_error' not in options:
        with pytest.raises(MaskError, match='no mask|not below|neither `img_path`'):
            loader(tmp_path, **options)(dict(image, **label))


def test_image_without_a_label_gets_the_mask_that_it_has(tmp_path):
    path = write(tmp_path, box())
    image = LoadImageFromFile()(dict(img_path=str(path)))
    assert (loader(tmp_path)(dict(image))['activation_mask'] == box()).all()
    WRONG['broken'](tmp_path)
    with pytest.raises(MaskError, match='a.png'):
        loader(tmp_path)(image)


def test_empty_mask_names_file_and_remedy(tmp_path):
    write(tmp_path)
    file = write_mask(tmp_path, ~box() & False)
    with pytest.raises(MaskError, match='no causal pixel') as caught:
        load(tmp_path, missing='unguided')
    assert f"mask '{file}'" in str(caught.value)
    assert "`empty='unguided'`" in str(caught.value)


def test_empty_mask_may_be_declared_unguided(tmp_path):
    write(tmp_path)
    write_mask(tmp_path, box() & False)
    results = load(tmp_path, empty='unguided')
    assert results['guided'] is False and 'activation_mask' not in results


@pytest.mark.parametrize('policies', [{}, dict(missing='unguided', empty='unguided')])
def test_broken_mask_is_an_error_under_every_policy(tmp_path, policies):
    write(tmp_path, box())
    (tmp_path / 'masks' / 'a.png').write_bytes(b'')
    with pytest.raises(MaskError, match='cannot be read'):
        load(tmp_path, **policies)


# ---- bad files that do not end a run -----------------------------------------

WRONG = {
    'broken': lambda root: (root / 'masks' / 'a.png').write_bytes(b'\x89PNG'),
    'of another size': lambda root: write_mask(root, box()[:5]),
    'not binary': lambda root: Image.fromarray(box() * np.uint8(7)).save(
        root / 'masks' / 'a.png'
    ),
    'missing': lambda root: (root / 'masks' / 'a.png').unlink(),
    'empty': lambda root: write_mask(root, box() & False),
}


@pytest.fixture
def lines(monkeypatch):
    """What is logged as a warning."""
    said = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'warning', said.append)
    return said


@pytest.mark.parametrize('kind', WRONG)
def test_bad_mask_may_make_its_image_unguided_counted_and_named(tmp_path, kind, lines):
    path = write(tmp_path, box())
    WRONG[kind](tmp_path)
    with pytest.raises(MaskError) as caught:
        load(tmp_path)
    results = load(tmp_path, on_error='unguided')
    assert results['guided'] is False and results['mask_error'] is True
    assert 'activation_mask' not in results
    assert lines == [f"image '{path}' is unguided: {caught.value}"]


def test_good_mask_has_no_error_and_default_has_no_flag(tmp_path, lines):
    write(tmp_path, box())
    results = load(tmp_path, on_error='unguided')
    assert results['guided'] is True and results['mask_error'] is False
    assert 'mask_error' not in load(tmp_path) and not lines


def test_declared_unguided_images_are_no_error(tmp_path, lines):
    write(tmp_path)
    results = load(tmp_path, on_error='unguided', missing='unguided')
    assert results['guided'] is False and results['mask_error'] is False
    assert not lines


def test_each_file_is_named_once(tmp_path, lines):
    keys = write_some(tmp_path, 3)
    for name in ('00', '02'):
        (tmp_path / 'masks' / f'{name}.png').write_bytes(b'')
    transform = loader(tmp_path, on_error='unguided')
    for _ in range(3):
        assert guided(tmp_path, keys, transform) == {keys[1]}
    assert len(lines) == 2 and '00.png' in lines[0] and '02.png' in lines[1]


def test_after_a_hundred_the_rest_is_not_named(tmp_path, lines):
    transform = loader(tmp_path, on_error='unguided')
    sound = LoadImageFromFile()(dict(img_path=str(write(tmp_path, box()))))
    assert transform(sound)['guided']
    for _ in range(2):
        for number in range(120):
            (tmp_path / 'masks' / f'{number}.png').write_bytes(b'')
            results = dict(
                img_path=str(tmp_path / 'images' / f'{number}.jpg'),
                img=np.zeros((HEIGHT, WIDTH, 3), np.uint8),
            )
            assert transform(results)['mask_error'] is True
    assert len(lines) == 101
    assert f"image '{tmp_path}/images/0.jpg' is unguided: " in lines[0]
    assert 'not named' in lines[-1] and '`mask_error_fraction`' in lines[-1]


def test_wrong_pipeline_or_root_raises_under_every_policy(tmp_path):
    path = write(tmp_path, box())
    image = LoadImageFromFile()(dict(img_path=str(path), gt_label=0))
    with pytest.raises(MaskError, match='is not below data_root'):
        loader(tmp_path / 'other', on_error='unguided')(dict(image))
    image['img'] = image['img'][:12]
    with pytest.raises(MaskError, match='already changed'):
        loader(tmp_path, on_error='unguided')(image)


def test_loader_with_its_failures_goes_to_workers(tmp_path, lines):
    write(tmp_path, box())
    WRONG['broken'](tmp_path)
    transform = loader(tmp_path, on_error='unguided')
    path = str(tmp_path / 'images' / 'a.jpg')
    for one in (transform, pickle.loads(pickle.dumps(transform))):
        assert one(LoadImageFromFile()(dict(img_path=path)))['mask_error'] is True


# ---- sizes and EXIF orientations -------------------------------------------


def test_wrong_size_names_files_and_both_sizes(tmp_path):
    path = write(tmp_path)
    file = write_mask(tmp_path, np.ones((12, 20), bool))
    with pytest.raises(MaskError, match='make the mask at the size') as caught:
        load(tmp_path)
    for part in (f"'{file}'", f"image '{path}'", '(12, 20)', '(24, 40)'):
        assert part in str(caught.value)


def test_masks_of_two_images_that_were_swapped_are_seen_by_their_sizes(tmp_path):
    for key, size in (('a', (4, 6)), ('b', (5, 6))):
        other = dict(a=(5, 6), b=(4, 6))[key]
        file = tmp_path / 'masks' / f'{key}.png'
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(np.ones(other, np.uint8)).save(file)
        load = LoadActivationMask(PNGMasks('masks', 'images', data_root=str(tmp_path)))
        with pytest.raises(
            MaskError,
            match=rf'{key}.png.: height and width '
            rf'\({other[0]}, 6\), its image .*\({size[0]}, 6\)',
        ):
            load(
                dict(
                    img_path=str(tmp_path / 'images' / f'{key}.jpg'),
                    img=np.zeros((*size, 3), np.uint8),
                )
            )


def test_transposed_mask_of_an_upright_image_is_just_a_wrong_size(tmp_path):
    write(tmp_path)
    write_mask(tmp_path, box().T)
    with pytest.raises(MaskError, match=r'\(40, 24\).*\(24, 40\): make the mask'):
        load(tmp_path)


@pytest.mark.parametrize('orientation', [5, 6, 7, 8])
def test_mask_transposed_by_exif_says_exif_true(tmp_path, orientation):
    write(tmp_path, box(), orientation=orientation)
    with pytest.raises(MaskError, match=r'\(24, 40\).*\(40, 24\).*EXIF.*`exif=True`'):
        load(tmp_path)


@pytest.mark.parametrize('orientation', [5, 6, 7, 8])
def test_image_that_the_loader_did_not_turn_is_named_and_no_mask_is_turned(
    tmp_path, orientation
):
    path = write(tmp_path, box(), orientation=orientation)
    stored = dict(color_type='unchanged')
    for exif in (False, True):  # the mask has the shape of the loaded image
        np.testing.assert_array_equal(
            load(tmp_path, image=stored, exif=exif)['activation_mask'], box()
        )
    upright = green(LoadImageFromFile()(dict(img_path=str(path)))['img'])
    write_mask(tmp_path, upright)
    with pytest.raises(MaskError, match='loaded without it: load it with color_type='):
        load(tmp_path, image=stored)
    with pytest.raises(MaskError, match='mask is upright: leave `exif=True` out'):
        load(tmp_path, exif=True)


@pytest.mark.parametrize(
    'record, message',
    [
        (dict(mask=box() * np.uint8(255)), 'must be 0 and 1.*uint8 from 0 to 255'),
        (dict(mask=box() * 0.7), 'must be 0 and 1.*float64 from 0.0 to 0.7'),
        (dict(mask=box(), ignore=box() * np.uint8(3)), '`ignore`.*uint8 from 0 to 3'),
        (dict(mask=box()[None], classes=np.array([-1])), r'`classes`.*array\(\[-1\]\)'),
        (dict(mask=box()[None], classes=np.array([0, 1])), '`classes`.*each plane'),
        (dict(mask=box(), classes=np.array([0])), '`classes`.*each plane'),
    ],
)
def test_what_a_source_of_a_user_gives_is_held_against_the_contract(
    tmp_path, record, message
):
    image = LoadImageFromFile()(dict(img_path=str(write(tmp_path))))
    with pytest.raises(MaskError, match=f"'made by hand': .*{message}"):
        LoadActivationMask(OneMask(**record))(image)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_stored_mask_is_turned_as_its_image_is(tmp_path, orientation):
    write(tmp_path, box(), orientation=orientation)
    results = load(tmp_path, exif=True)
    np.testing.assert_array_equal(results['activation_mask'], green(results['img']))
    assert results['activation_mask'].flags.c_contiguous


@pytest.mark.parametrize('orientation', range(1, 9))
def test_upright_mask_stays_as_it_is(tmp_path, orientation):
    path = write(tmp_path, orientation=orientation)
    upright = green(LoadImageFromFile()(dict(img_path=str(path)))['img'])
    write_mask(tmp_path, upright)
    np.testing.assert_array_equal(load(tmp_path)['activation_mask'], upright)


@pytest.mark.parametrize('orientation', [None, 0, 9])
def test_no_or_unknown_orientation_turns_nothing(tmp_path, orientation):
    write(tmp_path, box(), orientation=orientation)
    np.testing.assert_array_equal(load(tmp_path, exif=True)['activation_mask'], box())


@pytest.mark.parametrize('orientation', [3, 6, 7])
def test_planes_and_ignore_mask_turn_too(tmp_path, orientation):
    path = write(tmp_path, orientation=orientation)
    image = LoadImageFromFile()(dict(img_path=str(path)))
    stored = box().astype(np.uint8)
    results = LoadActivationMask(
        OneMask(np.stack([stored, 1 - stored]), ignore=stored), exif=True
    )(image)
    upright = green(image['img'])
    np.testing.assert_array_equal(
        results['activation_mask'], np.stack([upright, ~upright])
    )
    np.testing.assert_array_equal(results['ignore_mask'], upright)


def test_image_changed_before_names_image_sizes_and_remedy(tmp_path):
    path = write(tmp_path, box())
    image = LoadImageFromFile()(dict(img_path=str(path)))
    image['img'] = image['img'][:12]
    with pytest.raises(MaskError, match='already changed') as caught:
        loader(tmp_path)(image)
    for part in (f"image '{path}'", '(24, 40)', '(12, 40)', 'right after the image'):
        assert part in str(caught.value)


# ---- which images are guided -----------------------------------------------


def write_some(root, count=20):
    for i in range(count):
        write(root, name=f'{i:02d}')
        write_mask(root, box(), f'{i:02d}')
    return [f'images/{i:02d}.jpg' for i in range(count)]


def guided(root, keys, transform):
    return {
        key
        for key in keys
        if transform(LoadImageFromFile()(dict(img_path=str(root / key))))['guided']
    }


def test_only_guides_exactly_the_list(tmp_path):
    keys = write_some(tmp_path, 4)
    (tmp_path / 'guided.txt').write_text(f'{keys[1]}\n{keys[2]}\n')
    transform = loader(tmp_path, image_list=str(tmp_path / 'guided.txt'))
    assert guided(tmp_path, keys, transform) == {keys[1], keys[2]}


def test_masks_of_images_that_are_not_chosen_are_not_read(tmp_path):
    keys = write_some(tmp_path, 2)
    (tmp_path / 'masks' / '00.png').unlink()
    (tmp_path / 'guided.txt').write_text(keys[1])
    transform = loader(tmp_path, image_list=str(tmp_path / 'guided.txt'))
    assert guided(tmp_path, keys, transform) == {keys[1]}


def test_chosen_image_without_a_mask_is_an_error(tmp_path):
    write(tmp_path)
    (tmp_path / 'guided.txt').write_text('images/a.jpg\n')
    with pytest.raises(MaskError, match='has no mask'):
        load(tmp_path, image_list=str(tmp_path / 'guided.txt'))


def test_fraction_guides_images_of_low_rank_and_is_nested(tmp_path):
    keys = write_some(tmp_path)
    sets = [
        guided(tmp_path, keys, loader(tmp_path, fraction=fraction, seed=5))
        for fraction in (0, 0.2, 0.6, 1)
    ]
    assert sets[0] == set() and sets[3] == set(keys)
    assert sets[0] < sets[1] < sets[2] < sets[3]
    assert sets[2] == {key for key in keys if guidance_rank(key, 5) < 0.6}


def test_fraction_is_stateless(tmp_path):
    keys = write_some(tmp_path)
    transform = loader(tmp_path, fraction=0.5)
    first = guided(tmp_path, keys, transform)
    assert guided(tmp_path, keys[::-1], transform) == first
    assert guided(tmp_path, keys, copy.deepcopy(transform)) == first
    assert guided(tmp_path, keys, loader(tmp_path, fraction=0.5, seed=1)) != first


# ---- wrong options ---------------------------------------------------------


@pytest.mark.parametrize(
    'wrong,message',
    [
        (dict(missing='skip'), "`missing` must be one of .*error.*unguided.*'skip'"),
        (dict(empty=None), '`empty` must be one of .*error.*unguided.*None'),
        (
            dict(on_error='error'),
            "`on_error` must be one of .*raise.*unguided.*'error'",
        ),
        (dict(fraction='5%'), r"`fraction` must be in \[0, 1\], got '5%'"),
        (dict(fraction=1.5), r'`fraction` must be in \[0, 1\], got 1.5'),
        (dict(fraction=-0.1), r'`fraction` must be in \[0, 1\], got -0.1'),
        (dict(fraction=float('nan')), r'`fraction` must be in \[0, 1\], got nan'),
        (
            dict(image_list='list.txt', fraction=0.5),
            'either `image_list`.*or `fraction`, not both',
        ),
    ],
)
def test_wrong_option_names_argument_expected_and_given(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        loader(tmp_path, **wrong)


def test_missing_list_fails_when_the_pipeline_is_built(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone.txt'):
        loader(tmp_path, image_list=str(tmp_path / 'gone.txt'))


def test_unknown_option_is_an_error(tmp_path):
    with pytest.raises(TypeError, match='border'):
        loader(tmp_path, border='ignore')


# ---- every orientation by every loader -----------------------------------------

LOADERS = [
    (suffix, backend, color_type)
    for suffix in ('jpg', 'png', 'webp', 'tif', 'avif')
    for backend in ('cv2', 'pillow', *['tifffile'] * (suffix == 'tif'))
    for color_type in ('color', 'unchanged', 'grayscale', 'color_ignore_orientation')
]


def photograph(root, suffix, shape, orientation):
    """Noise with a bright box; returns the box in the stored pixels."""
    box = np.zeros(shape, bool)
    box[2:10, 4:20] = True
    pixels = np.random.default_rng(0).integers(0, 40, (*shape, 3), dtype=np.uint8)
    pixels[box] = (30, 230, 40)
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    path = root / 'images' / f'a.{suffix}'
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95, subsampling='4:4:4', exif=exif)
    return path, box


@pytest.mark.parametrize('shape', [(24, 24), (24, 40)], ids=['square', 'wide'])
@pytest.mark.parametrize('suffix, backend, color_type', LOADERS)
def test_mask_lies_on_its_object_or_there_is_an_error(
    tmp_path, shape, suffix, backend, color_type
):
    if suffix == 'avif' and not features.check('avif'):
        pytest.skip('this Pillow has no AVIF')
    for orientation in range(1, 9):
        path, box = photograph(tmp_path, suffix, shape, orientation)
        results = LoadImageFromFile(imdecode_backend=backend, color_type=color_type)(
            dict(img_path=str(path))
        )
        image = results['img']
        shown = (image[..., :3].mean(-1) if image.ndim == 3 else image) > 80
        for exif, mask in ((True, box), (False, turn_upright(box, orientation))):
            write_mask(tmp_path, mask)
            try:
                loaded = loader(tmp_path, exif=exif)(dict(results))['activation_mask']
            except MaskError as error:
                assert "without it: load it with color_type='color'" in str(error)
                assert not exif and orientation > 1
                assert color_type != 'color' or (suffix, backend) in (
                    ('tif', 'tifffile'),
                    ('avif', 'cv2'),
                )
            else:
                # a lossy format blurs the border of the box
                assert (shown != loaded).mean() <= (0.02 if suffix == 'avif' else 0)


def test_image_loaded_without_its_orientation_names_remedies_that_work(tmp_path):
    _path, box = photograph(tmp_path, 'jpg', (24, 24), 3)
    write_mask(tmp_path, box)
    with pytest.raises(
        MaskError,
        match=r"image '.*a.jpg' has an EXIF orientation \(3\)"
        ' and was loaded without it.*set `exif=True`',
    ):
        load(tmp_path, image=dict(color_type='unchanged'))
    results = load(tmp_path, image=dict(color_type='unchanged'), exif=True)
    np.testing.assert_array_equal(results['activation_mask'], box)
    write_mask(tmp_path, turn_upright(box, 3))
    results = load(tmp_path, image=dict(color_type='color', imdecode_backend='cv2'))
    np.testing.assert_array_equal(results['activation_mask'], green(results['img']))


def test_image_that_does_not_show_its_orientation_is_named(tmp_path):
    path, box = photograph(tmp_path, 'png', (24, 24), 3)
    results = LoadImageFromFile()(dict(img_path=str(path)))
    write_mask(tmp_path, box)
    results['img'] = results['img'] * 0
    with pytest.raises(MaskError, match=r'\(3\), and its pixels do not show.*upright'):
        loader(tmp_path)(results)


def test_image_without_a_mask_needs_no_orientation(tmp_path):
    path, _ = photograph(tmp_path, 'png', (24, 24), 3)
    write_mask(tmp_path, box(), name='another')
    results = LoadImageFromFile(color_type='unchanged')(dict(img_path=str(path)))
    results = loader(tmp_path, missing='unguided')(results)
    assert results['guided'] is False
