"""Folders of mask files: each kind of PNG, and each kind of wrong file."""

import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS
from PIL import Image, ImageFile, PngImagePlugin

from cfcn_plugin.masks import MaskError, MaskSizeError, PNGMasks

CAUSAL = np.array([[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]], bool)


def write(path: Path, image: Image.Image) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


def grey(values, dtype=np.uint8) -> Image.Image:
    return Image.fromarray(np.asarray(values, dtype))


def palette(indices) -> Image.Image:
    image = grey(indices)
    image.putpalette([90, 90, 90, 10, 200, 30, 255, 0, 0])
    assert image.mode == 'P'
    return image


def sample(root: Path, key: str = 'images/a.jpg', shape=CAUSAL.shape) -> dict:
    return dict(img_path=str(root / key), ori_shape=shape)


def source(root: Path, **kwargs) -> PNGMasks:
    return PNGMasks('masks', 'images', data_root=str(root), **kwargs)


def read(root: Path, image: Image.Image, **kwargs):
    write(root / 'masks' / 'a.png', image)
    return source(root, **kwargs)(sample(root, shape=image.size[::-1]))


def message(root: Path, image: Image.Image, **kwargs) -> str:
    """The error's text, which always begins with the file."""
    with pytest.raises(MaskError) as caught:
        read(root, image, **kwargs)
    assert f"'{root / 'masks' / 'a.png'}'" in str(caught.value)
    return str(caught.value)


# ---- kinds of files --------------------------------------------------------

KINDS = {
    '1-bit': lambda: Image.fromarray(CAUSAL),
    '8-bit 0, 1': lambda: grey(CAUSAL),
    '8-bit 0, 255': lambda: grey(CAUSAL * 255),
    '16-bit 0, 1': lambda: grey(CAUSAL, np.uint16),
    '16-bit 0, 65535': lambda: grey(CAUSAL * 65535, np.uint16),
    'palette 0, 1': lambda: palette(CAUSAL),
}


@pytest.mark.parametrize(
    'options', [dict(causal=[1]), dict(causal=[255]), dict(causal=[255], classes=[0])]
)
def test_one_bit_is_what_an_optimiser_makes_of_0_and_1_or_255(tmp_path, options):
    record = read(tmp_path, Image.fromarray(CAUSAL), **options)
    np.testing.assert_array_equal(record.mask.reshape(CAUSAL.shape), CAUSAL)


@pytest.mark.parametrize('kind', KINDS)
def test_binary_files_of_every_kind_give_the_same_mask(tmp_path, kind):
    record = read(tmp_path, KINDS[kind]())
    assert record.mask.dtype == np.uint8
    np.testing.assert_array_equal(record.mask, CAUSAL)
    assert record.file == str(tmp_path / 'masks' / 'a.png')
    assert record.ignore is None and record.classes is None


@pytest.mark.parametrize('make', [grey, palette])
def test_causal_values_are_grey_levels_or_palette_indices(tmp_path, make):
    record = read(tmp_path, make([[0, 1, 2, 1]]), causal=[2])
    np.testing.assert_array_equal(record.mask, [[0, 0, 1, 0]])


def test_causal_values_of_16_bit_files(tmp_path):
    record = read(tmp_path, grey([[0, 300, 40000]], np.uint16), causal=[300, 40000])
    np.testing.assert_array_equal(record.mask, [[0, 1, 1]])


@pytest.mark.parametrize('causal', [None, [255]])
def test_ignored_pixels_are_neither_causal_nor_an_error(tmp_path, causal):
    record = read(tmp_path, grey([[0, 255, 128, 7]]), causal=causal, ignore=[128, 7])
    np.testing.assert_array_equal(record.mask, [[0, 1, 0, 0]])
    np.testing.assert_array_equal(record.ignore, [[0, 0, 1, 1]])
    assert record.ignore.dtype == np.uint8


def test_ignored_value_may_be_the_type_s_maximum(tmp_path):
    record = read(tmp_path, grey([[0, 1, 255]]), ignore=[255])
    np.testing.assert_array_equal(record.mask, [[0, 1, 0]])
    np.testing.assert_array_equal(record.ignore, [[0, 0, 1]])


def test_mask_without_a_causal_pixel_is_read_as_such(tmp_path):
    assert not read(tmp_path, grey(CAUSAL * 0)).mask.any()


# ---- palettes of black and white -------------------------------------------

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def with_palette(indices, *colours) -> Image.Image:
    image = grey(indices)
    image.putpalette([part for colour in colours for part in colour])
    return image


def white_first(causal=CAUSAL) -> Image.Image:
    """Index 0 is white, as Pillow's ``quantize`` gives it."""
    return with_palette(1 - causal, WHITE, BLACK)


SEEN = {
    'white first, PNG': ('.png', white_first, {}),
    'white first, GIF': ('.gif', white_first, {}),
    'white first, BMP of 1 bit': ('.bmp', white_first, {}),
    'white first, TIFF': ('.tif', white_first, {}),
    'quantized': ('.png', lambda: grey(CAUSAL * 255).convert('RGB').quantize(2), {}),
    'black first': ('.png', lambda: with_palette(CAUSAL, (0, 0, 0), WHITE), {}),
    'inverted palette of 8 bits': (
        '.bmp',
        lambda: with_palette(
            np.where(CAUSAL, 0, 255), *((255 - i,) * 3 for i in range(256))
        ),
        {},
    ),
    'TIFF of 1 bit, 0 is white': (
        '.tif',
        lambda: Image.fromarray(CAUSAL),
        dict(tiffinfo={262: 0}),
    ),
    'the same as a fax': (
        '.tif',
        lambda: Image.fromarray(CAUSAL),
        dict(tiffinfo={262: 0}, compression='group4'),
    ),
    'TIFF of 8 bits, 0 is white': (
        '.tif',
        lambda: grey(CAUSAL * 255),
        dict(tiffinfo={262: 0}),
    ),
    'PBM, 1 is black': ('.pbm', lambda: Image.fromarray(CAUSAL), {}),
    'GIF': ('.gif', lambda: grey(CAUSAL * 255), {}),
}


@pytest.mark.parametrize('kind', SEEN)
def test_what_a_viewer_shows_in_white_is_causal(tmp_path, kind):
    suffix, make, options = SEEN[kind]
    path = tmp_path / 'masks' / f'a{suffix}'
    path.parent.mkdir()
    make().save(path, **options)
    record = source(tmp_path, suffix=suffix)(sample(tmp_path))
    np.testing.assert_array_equal(record.mask, CAUSAL)


@pytest.mark.parametrize('full', [True, False])
@pytest.mark.parametrize('palette', [(WHITE, BLACK), (BLACK, WHITE)])
def test_mask_of_one_colour_goes_by_the_colour(tmp_path, full, palette):
    index = palette.index(WHITE if full else BLACK)
    mask = read(tmp_path, with_palette(np.full((3, 4), index), *palette)).mask
    np.testing.assert_array_equal(mask, np.full((3, 4), full))


def test_named_values_are_indices_whatever_their_colour(tmp_path):
    np.testing.assert_array_equal(
        read(tmp_path, white_first(), causal=[1]).mask, ~CAUSAL
    )
    np.testing.assert_array_equal(
        read(tmp_path, white_first(), causal=[0]).mask, CAUSAL
    )


def test_ignored_index_of_a_white_first_palette_stays(tmp_path):
    image = with_palette([[0, 1, 2, 1]], WHITE, (0, 0, 0), (127, 127, 127))
    record = read(tmp_path, image, ignore=[2])
    np.testing.assert_array_equal(record.mask, [[1, 0, 0, 0]])
    np.testing.assert_array_equal(record.ignore, [[0, 0, 1, 0]])


@pytest.mark.parametrize(
    'indices, colours',
    [
        (CAUSAL, [(0, 0, 0), (128, 0, 0)]),  # VOC's first class
        (CAUSAL * 0, [(0, 0, 0), (128, 0, 0)]),
        (CAUSAL * 255, [(0, 0, 0)] * 255 + [(224, 224, 192)]),
        (CAUSAL, [(9, 9, 9), (9, 9, 9)]),
        (CAUSAL, [(0, 0, 0), (0, 0, 0)]),
    ],
)
def test_palette_in_which_no_colour_contradicts_goes_by_its_indices(
    tmp_path, indices, colours
):
    record = read(tmp_path, with_palette(indices, *colours))
    np.testing.assert_array_equal(record.mask, indices > 0)


@pytest.mark.parametrize(
    'indices, colours, found',
    [
        (
            CAUSAL,
            [WHITE, (200, 0, 0)],
            r'0 \[255, 255, 255\] is brighter than 1 \[200, 0, 0\]',
        ),
        (CAUSAL, [(90, 90, 90), (0, 0, 0)], '0 .* is brighter than 1'),
        (CAUSAL, [(254, 254, 254), (0, 0, 0)], '0 .* is brighter than 1'),
        (CAUSAL * 0, [WHITE, (200, 0, 0)], '0 is white'),
        (CAUSAL * 0 + 1, [(200, 0, 0), (0, 0, 0)], '1 is black'),
    ],
)
def test_palette_whose_colours_contradict_its_indices_is_refused(
    tmp_path, indices, colours, found
):
    image = with_palette(indices, *colours)
    text = message(tmp_path, image)
    assert re.search(f'palette index {found}', text) and '`causal=[...]`' in text
    mask = read(tmp_path, image, causal=[1]).mask
    np.testing.assert_array_equal(mask, indices == 1)
    np.testing.assert_array_equal(  # the other remedy
        read(tmp_path, grey(indices * 255)).mask, indices > 0
    )


# ---- colours and transparency ----------------------------------------------

RED, GREEN = (255, 0, 0), (0, 128, 0)


def coloured(rows, mode='RGB') -> Image.Image:
    return Image.fromarray(np.array(rows, np.uint8)).convert(mode)


def transparent(grey_rows, alpha_rows, mode='LA') -> Image.Image:
    image = grey(grey_rows).convert(mode)
    image.putalpha(grey(alpha_rows))
    return image


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'LA'])
def test_grey_saved_with_more_channels_is_grey(tmp_path, mode):
    record = read(tmp_path, grey(CAUSAL * 255).convert(mode))
    np.testing.assert_array_equal(record.mask, CAUSAL)
    record = read(tmp_path, grey([[0, 7, 9]]).convert(mode), causal=[7], ignore=[9])
    np.testing.assert_array_equal(record.mask, [[0, 1, 0]])
    np.testing.assert_array_equal(record.ignore, [[0, 0, 1]])


@pytest.mark.parametrize(
    'make',
    [
        lambda: coloured([[RED, GREEN, BLACK, RED]]),
        lambda: coloured([[RED, GREEN, BLACK, RED]], 'RGBA'),
        lambda: coloured([[RED, GREEN, BLACK, RED]]).quantize(4),
    ],
    ids=['RGB', 'RGBA', 'palette'],
)
def test_causal_colours(tmp_path, make):
    record = read(tmp_path, make(), causal=[list(RED)], ignore=[list(GREEN)])
    np.testing.assert_array_equal(record.mask, [[1, 0, 0, 1]])
    np.testing.assert_array_equal(record.ignore, [[0, 1, 0, 0]])


@pytest.mark.parametrize('mode', ['LA', 'RGBA'])
def test_alpha_channel_is_the_mask_when_asked_for(tmp_path, mode):
    image = transparent([[9, 0, 200, 0]], [[0, 127, 128, 255]], mode)
    np.testing.assert_array_equal(
        read(tmp_path, image, causal='alpha').mask, [[0, 0, 1, 1]]
    )


def test_transparent_palette_entry_counts_as_alpha(tmp_path):
    path = tmp_path / 'masks' / 'a.png'
    path.parent.mkdir()
    palette([[0, 1, 2]]).save(path, transparency=0)
    masks = source(tmp_path, causal='alpha')
    np.testing.assert_array_equal(
        masks(sample(tmp_path, shape=(1, 3))).mask, [[0, 1, 1]]
    )


@pytest.mark.parametrize(
    'causal,mask',
    [
        (None, [[1, 0, 0]]),
        ([255], [[1, 0, 0]]),
        ([0], [[0, 1, 0]]),
        ([[0, 0, 0]], [[0, 1, 0]]),
    ],
)
def test_what_is_transparent_has_no_value(tmp_path, causal, mask):
    image = transparent([[255, 0, 0]], [[255, 255, 0]], 'RGBA')
    np.testing.assert_array_equal(read(tmp_path, image, causal=causal).mask, mask)


@pytest.mark.parametrize(
    'image, clear, mask',
    [
        (grey([[255, 0, 255]]), 0, [[1, 0, 1]]),
        (grey([[255, 0, 255]]), 255, [[0, 0, 0]]),
        (grey([[255, 0, 255]]), 9, [[1, 0, 1]]),
        (grey([[65535, 0]], np.uint16), 65535, [[0, 0]]),
        (grey([[65535, 0]], np.uint16), 0, [[1, 0]]),
        (coloured([[WHITE, BLACK]]), WHITE, [[0, 0]]),
        (coloured([[WHITE, BLACK]]), RED, [[1, 0]]),
        (with_palette([[0, 1]], WHITE, RED), 0, [[0, 1]]),
        (Image.fromarray(np.array([[True, False]])), 0, [[1, 0]]),
    ],
)
def test_colour_that_the_file_makes_transparent_has_no_value(
    tmp_path, image, clear, mask
):
    path = tmp_path / 'masks' / 'a.png'
    path.parent.mkdir()
    image.save(path, transparency=clear)
    record = source(tmp_path)(sample(tmp_path, shape=image.size[::-1]))
    np.testing.assert_array_equal(record.mask, mask)


@pytest.mark.parametrize(
    'image, clear, text',
    [
        (with_palette([[0, 1]], BLACK, WHITE), 1, 'palette index 1 is transparent'),
        (Image.fromarray(np.array([[True, False]])), 255, 'white is transparent'),
    ],
)
def test_cause_that_is_transparent_is_refused(tmp_path, image, clear, text):
    path = tmp_path / 'masks' / 'a.png'
    path.parent.mkdir()
    image.save(path, transparency=clear)
    with pytest.raises(MaskError, match=text):
        source(tmp_path)(sample(tmp_path, shape=(1, 2)))


# ---- one mask a class ------------------------------------------------------


def test_classes_give_a_plane_for_each_class_that_is_there(tmp_path):
    record = read(
        tmp_path,
        grey([[0, 1, 2, 3, 9]]),
        causal=[1, 2, 3, 4],
        classes=[7, 5, 7, 6],
        ignore=[9],
    )
    assert record.classes.tolist() == [5, 7]
    np.testing.assert_array_equal(record.mask, [[[0, 0, 1, 0, 0]], [[0, 1, 0, 1, 0]]])
    np.testing.assert_array_equal(record.ignore, [[0, 0, 0, 0, 1]])


def test_classes_of_colours(tmp_path):
    record = read(
        tmp_path, coloured([[RED, GREEN, BLACK]]), causal=[RED, GREEN], classes=[0, 1]
    )
    assert record.classes.tolist() == [0, 1]
    np.testing.assert_array_equal(record.mask, [[[1, 0, 0]], [[0, 1, 0]]])


def test_file_without_any_class_has_no_plane(tmp_path):
    record = read(tmp_path, grey([[0, 4]]), causal=[1], classes=[2])
    assert record.mask.shape == (0, 1, 2) and record.classes.shape == (0,)


@pytest.mark.parametrize(
    'wrong,error,text',
    [
        (dict(causal=[1, [1, 2, 3]]), ValueError, 'all values or all colours'),
        (dict(causal=[1], ignore=[[1, 2, 3]]), ValueError, 'all values or all colours'),
        (dict(causal=[[1, 2]]), ValueError, r'`causal` must hold .* got \[1, 2\]'),
        (dict(causal=[[1, 2, 256]]), ValueError, r'`causal`.*0 to 255.*256'),
        (dict(causal=[-1]), ValueError, '`causal`.*got -1'),
        (dict(causal=[True]), ValueError, '`causal`.*got True'),
        (dict(causal=[1.5]), ValueError, '`causal`.*got 1.5'),
        (dict(causal=[]), ValueError, '`causal` must name a value'),
        (dict(causal=0), TypeError, '`causal` must be a list, got 0'),
        (dict(causal=255), TypeError, '`causal` must be a list, got 255'),
        (dict(causal='white'), TypeError, "`causal` must be a list, got 'white'"),
        (dict(causal=[1, 2], ignore=[2]), ValueError, r'share a value'),
        (dict(causal=[1, 2], classes=[0]), ValueError, r'`classes` must give a class'),
        (dict(classes=[0]), ValueError, r'`classes` must give a class.*None'),
    ],
)
def test_wrong_option_names_argument_expected_and_given(wrong, error, text):
    with pytest.raises(error, match=text):
        PNGMasks('masks', **wrong)


# ---- where files are -------------------------------------------------------


def test_folder_of_masks_mirrors_the_folder_of_images(tmp_path):
    write(tmp_path / 'masks' / 'deep' / 'er' / 'a.b.png', grey(CAUSAL))
    assert source(tmp_path)(sample(tmp_path, 'images/deep/er/a.b.jpg')) is not None
    assert source(tmp_path)(sample(tmp_path, 'images/a.b.jpg')) is None


def test_without_an_images_folder_paths_begin_at_the_root(tmp_path):
    write(tmp_path / 'masks' / 'train' / 'a.png', grey(CAUSAL))
    masks = PNGMasks('masks', data_root=str(tmp_path))
    assert masks(sample(tmp_path, 'train/a.jpg')) is not None
    assert masks.keys() == ['train/a']


def test_other_suffix(tmp_path):
    write(tmp_path / 'masks' / 'a.bmp', grey(CAUSAL * 255))
    masks = source(tmp_path, suffix='.bmp')
    assert masks(sample(tmp_path)) is not None
    assert masks.keys() == ['images/a']


def test_suffix_may_be_the_end_of_a_name(tmp_path):
    write(tmp_path / 'masks' / 'a.b_mask.png', grey(CAUSAL))
    write(tmp_path / 'masks' / 'other.png', grey(CAUSAL))
    masks = source(tmp_path, suffix='_mask.png')
    assert masks(sample(tmp_path, 'images/a.b.jpg')) is not None
    assert masks(sample(tmp_path, 'images/other.jpg')) is None
    assert masks.keys() == ['images/a.b']


def test_images_may_have_one_of_several_suffixes(tmp_path):
    write(tmp_path / 'masks' / 'a.png', grey(CAUSAL))
    write(tmp_path / 'masks' / 'b.bmp', grey(CAUSAL))
    masks = source(tmp_path, suffix=['.png', '.bmp'])
    for name in 'ab':
        assert masks(sample(tmp_path, f'images/{name}.jpg')).mask.sum() == 3
    assert masks.keys() == ['images/a', 'images/b']


@pytest.mark.parametrize('suffix', ['png', '', [], ['.png', 'bmp'], 'masks/.png'])
def test_suffix_that_is_no_end_of_a_file_name_is_refused(suffix):
    with pytest.raises(ValueError, match="`suffix` must be the end.*'_mask.png'"):
        PNGMasks('masks', suffix=suffix)


def test_image_outside_the_images_folder_names_image_and_remedy(tmp_path):
    with pytest.raises(MaskError, match="'photos/a.jpg'.*images='images'.*`images`"):
        source(tmp_path)(sample(tmp_path, 'photos/a.jpg'))


def test_image_outside_data_root_is_an_error(tmp_path):
    with pytest.raises(MaskError, match='is not below data_root'):
        source(tmp_path / 'pets')(sample(tmp_path, 'images/a.jpg'))


def test_keys_do_not_decode_and_leave_out_resource_forks(tmp_path):
    for name in ('b.png', 'a.png', 'sub/c.png', '._a.png', 'sub/._c.png', 'a.txt'):
        path = tmp_path / 'masks' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'junk')
    assert source(tmp_path).keys() == ['images/a', 'images/b', 'images/sub/c']


def test_missing_folder_names_folder_and_remedy(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        source(tmp_path).keys()
    for part in (f"'{tmp_path / 'masks'}'", '`masks`', '`data_root`'):
        assert part in str(caught.value)


def test_check_passes_when_each_mask_has_its_image(tmp_path):
    for name in ('a', 'b', 'sub/c'):
        write(tmp_path / 'images' / f'{name}.jpg', Image.new('RGB', (4, 3)))
    write(tmp_path / 'masks' / 'a.png', grey(CAUSAL))
    write(tmp_path / 'masks' / 'sub' / 'c.png', grey(CAUSAL))
    (tmp_path / 'masks' / '._stranger.png').write_bytes(b'junk')
    source(tmp_path).check()


def test_check_names_masks_of_unknown_images(tmp_path):
    write(tmp_path / 'images' / 'a.jpg', Image.new('RGB', (4, 3)))
    for name in 'abcdef':
        write(tmp_path / 'masks' / f'{name}.png', grey(CAUSAL))
    with pytest.raises(MaskError) as caught:
        source(tmp_path).check()
    text = str(caught.value)
    assert text.startswith('5 masks of ')
    for part in (
        f"'{tmp_path / 'masks'}'",
        "'images/b', 'images/c', 'images/d':",
        'belong to no image',
        '`data_root`',
    ):
        assert part in text


def test_check_without_an_images_folder(tmp_path):
    write(tmp_path / 'train' / 'a.jpg', Image.new('RGB', (4, 3)))
    write(tmp_path / 'masks' / 'train' / 'a.png', grey(CAUSAL))
    masks = PNGMasks('masks', data_root=str(tmp_path))
    masks.check()
    write(tmp_path / 'masks' / 'train' / 'b.png', grey(CAUSAL))
    with pytest.raises(MaskError, match="1 masks.*'train/b'"):
        masks.check()


def test_check_tells_names_that_differ_in_case(tmp_path):
    write(tmp_path / 'images' / 'Cow_1.jpg', Image.new('RGB', (4, 3)))
    write(tmp_path / 'masks' / 'cow_1.png', grey(CAUSAL))
    with pytest.raises(MaskError, match=r"'images/cow_1' \(did you mean 'images/Cow_1"):
        source(tmp_path).check()


def test_check_tells_endings_that_differ_in_case(tmp_path):
    for name in 'ab':
        write(tmp_path / 'images' / f'{name}.jpg', Image.new('RGB', (4, 3)))
    write(tmp_path / 'masks' / 'a.png', grey(CAUSAL))
    write(tmp_path / 'masks' / 'b.PNG', grey(CAUSAL))
    with pytest.raises(MaskError, match=r"1 files .* another case.*'b.PNG'.*list of"):
        source(tmp_path).check()
    source(tmp_path, suffix=['.png', '.PNG']).check()


def test_check_tells_what_a_folder_without_masks_has(tmp_path):
    write(tmp_path / 'masks' / 'a.bmp', grey(CAUSAL))
    with pytest.raises(MaskError, match=r"ends in '.png', got 1 '.bmp': .*`suffix`"):
        source(tmp_path).check()


def test_check_knows_masks_beside_their_images(tmp_path):
    write(tmp_path / 'images' / 'a.jpg', Image.new('RGB', (4, 3)))
    write(tmp_path / 'images' / 'a_mask.png', grey(CAUSAL))
    masks = PNGMasks('images', 'images', str(tmp_path), suffix='_mask.png')
    masks.check()
    write(tmp_path / 'images' / 'b_mask.png', grey(CAUSAL))
    with pytest.raises(MaskError, match="'images/b'"):
        masks.check()


@pytest.mark.parametrize('images', ['images', ''])
def test_check_ends_where_a_link_leads_back(tmp_path, images):
    write(tmp_path / 'images' / 'a.jpg', Image.new('RGB', (4, 3)))
    write(tmp_path / 'masks' / images / 'a.png', grey(CAUSAL))
    (tmp_path / 'images' / 'again').symlink_to('.')
    if not images:
        (tmp_path / 'masks' / 'a.png').rename(tmp_path / 'masks' / 'b.png')
        write(tmp_path / 'b.jpg', Image.new('RGB', (4, 3)))
    PNGMasks('masks' + '/images' * bool(images), images, str(tmp_path)).check()


# ---- wrong files -----------------------------------------------------------


@pytest.mark.parametrize(
    'image,shown',
    [
        (grey([[0, 255, 128]]), '0 and 255, got 0, 128, 255;'),
        (grey([[0, 1, 255]]), '0 and 255, got 0, 1, 255;'),
        (grey([[0, 2]]), '0 and 255, got 0, 2;'),
        (grey([range(20)]), 'got 0, 1, 2, 3, 4, 5, 6, 7 ...;'),
        (palette([[0, 1, 2]]), 'got 0, 1, 2;'),
        (grey([[0, 300, 65535]], np.uint16), '0 and 65535, got 0, 300, 65535;'),
        (grey([[0, 255]], np.uint16), '0 and 65535, got 0, 255;'),
    ],
)
def test_file_that_is_not_binary_shows_values_and_remedy(tmp_path, image, shown):
    text = message(tmp_path, image)
    assert 'not binary' in text and 'values 0 and 1' in text
    assert shown in text and '`causal=[...]`' in text


@pytest.mark.parametrize(
    'damage',
    [
        lambda whole: b'',
        lambda whole: whole[:20],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: b'not an image at all',
        lambda whole: whole[:60] + bytes([whole[60] ^ 255]) + whole[61:],
    ],
    ids=['zero bytes', 'header cut', 'half', 'text', 'a flipped byte'],
)
def test_file_that_cannot_be_decoded_is_named(tmp_path, damage):
    noise = np.random.default_rng(0).random((40, 40)) > 0.5
    path = write(tmp_path / 'masks' / 'a.png', grey(noise * 255))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(MaskError, match='cannot be read.*is it whole') as caught:
        source(tmp_path)(sample(tmp_path, shape=(40, 40)))
    assert f"'{path}'" in str(caught.value)


def test_config_builds_the_source(tmp_path):
    write(tmp_path / 'masks' / 'a.png', grey(CAUSAL))
    built = TASK_UTILS.build(
        dict(type='PNGMasks', masks='masks', images='images', data_root=str(tmp_path))
    )
    np.testing.assert_array_equal(built(sample(tmp_path)).mask, CAUSAL)


def frames(path):
    grey(CAUSAL * 255).save(path, save_all=True, append_images=[grey(CAUSAL)])


def raw_grey(path, width, height, bits, rows):
    """A PNG whose header and rows are what they are said to be."""
    head = struct.pack('>IIBBBBB', width, height, bits, 0, 0, 0, 0)
    chunks = b''.join(
        struct.pack('>I', len(data))
        + kind
        + data
        + struct.pack('>I', zlib.crc32(kind + data))
        for kind, data in (
            (b'IHDR', head),
            (b'IDAT', zlib.compress(rows)),
            (b'IEND', b''),
        )
    )
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + chunks)


def bomb(path):
    """A few bytes whose header says 60000 x 60000 pixels."""
    raw_grey(path, 60000, 60000, 8, bytes(10**6))


def two_bits(path):
    """Values 0 to 3 of a trimap, four in a byte, each row behind its filter type."""
    raw_grey(path, 4, 3, 2, bytes([0, 0b00011011]) * 3)


def turned(path):
    exif = Image.Exif()
    exif[0x0112] = 3
    grey(CAUSAL * 255).save(path, exif=exif)


BAD = {
    'its own orientation': ('.png', turned, {}, r'EXIF orientation of its own \(3\)'),
    'the same in TIFF': ('.tif', turned, {}, r'EXIF orientation of its own \(3\)'),
    '16 bits, 0 is white': (
        '.tif',
        lambda path: grey(CAUSAL, np.uint16).save(path, tiffinfo={262: 0}),
        {},
        '16 bits where 0 is white.* 16-bit PNG',
    ),
    'grey of 2 bits': (
        '.png',
        two_bits,
        dict(causal=[1]),
        'grey of 2 bits, .*save it as an 8-bit PNG',
    ),
    'colours': (
        '.png',
        lambda path: coloured([[RED, BLACK] * 2] * 3).save(path),
        {},
        r'colours, \[0, 0, 0\], \[255, 0, 0\]: .*causal=\[\[r, g, b',
    ),
    'half transparent': (
        '.png',
        lambda path: transparent(CAUSAL * 255, CAUSAL * 90).save(path),
        {},
        "half transparent pixels, .*causal='alpha'",
    ),
    'no alpha': (
        '.png',
        lambda path: grey(CAUSAL).save(path),
        dict(causal='alpha'),
        "opaque everywhere, and causal='alpha'",
    ),
    'float TIFF': (
        '.tif',
        lambda path: grey(CAUSAL, np.float32).save(path),
        {},
        "mode 'F', expected one of .* 8-bit PNG",
    ),
    'CMYK': (
        '.tif',
        lambda path: Image.new('CMYK', (4, 3)).save(path),
        {},
        "mode 'CMYK'",
    ),
    '16-bit by colours': (
        '.png',
        lambda path: grey(CAUSAL, np.uint16).save(path),
        dict(causal=[[255, 0, 0]]),
        "mode 'I;16'",
    ),
    'animated PNG': ('.png', frames, {}, '2 frames or pages, expected one'),
    'pages of a TIFF': ('.tif', frames, {}, '2 frames or pages, expected one'),
    'bomb': ('.png', bomb, {}, 'more pixels than Pillow opens .*MAX_IMAGE_PIXELS'),
    'JPEG': (
        '.jpg',
        lambda path: grey(CAUSAL * 200 + 9).save(path),
        {},
        'not binary: .*a JPEG does not keep values',
    ),
    'another size': (
        '.png',
        lambda path: grey(CAUSAL.T).save(path),
        {},
        r'height and width \(4, 3\), its image \(3, 4\): make the mask',
    ),
    'text': ('.png', lambda path: path.write_text('mask'), {}, 'cannot be read'),
    'huge text chunk': (
        '.png',
        lambda path: grey(CAUSAL).save(path, pnginfo=long_comment()),
        {},
        'cannot be read.*too large',
    ),
    'link out': (
        '.png',
        lambda path: path.symlink_to('/etc/hostname'),
        {},
        "path 'a.png' links to '/etc/hostname'",
    ),
}


def long_comment():
    info = PngImagePlugin.PngInfo()
    info.add_text('comment', 'a' * 2 * 10**6, zip=True)
    return info


@pytest.mark.parametrize('kind', BAD)
def test_bad_file_names_file_expectation_and_remedy(tmp_path, kind):
    suffix, make, options, text = BAD[kind]
    (tmp_path / 'masks').mkdir()
    make(tmp_path / 'masks' / f'a{suffix}')
    with pytest.raises(MaskError, match=text) as caught:
        source(tmp_path, suffix=suffix, **options)(sample(tmp_path))
    assert str(tmp_path / 'masks') in str(caught.value)


def test_two_masks_of_one_image_are_refused_in_check_and_call(tmp_path):
    write(tmp_path / 'images' / 'a.jpg', Image.new('RGB', (4, 3)))
    for suffix in ('.png', '.bmp'):
        write(tmp_path / 'masks' / f'a{suffix}', grey(CAUSAL))
    masks = source(tmp_path, suffix=['.png', '.bmp'])
    for action in (masks.check, lambda: masks(sample(tmp_path))):
        with pytest.raises(MaskError, match="'images/a.* has several masks.*remove"):
            action()


def test_wrong_size_is_refused_before_a_pixel_is_decoded(tmp_path, monkeypatch):
    write(tmp_path / 'masks' / 'a.png', grey(CAUSAL))
    monkeypatch.setattr(
        PngImagePlugin.PngImageFile, 'load', lambda *_: pytest.fail('decoded')
    )
    with pytest.raises(MaskSizeError) as caught:
        source(tmp_path)(sample(tmp_path, shape=(9, 9)))
    assert caught.value.size == (3, 4)


def test_half_a_file_is_refused_whatever_pillow_was_told(tmp_path, monkeypatch):
    monkeypatch.setattr(ImageFile, 'LOAD_TRUNCATED_IMAGES', True)
    noise = np.random.default_rng(0).random((40, 40)) > 0.5
    path = write(tmp_path / 'masks' / 'a.png', grey(noise * 255))
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(MaskError, match='is it whole'):
        source(tmp_path)(sample(tmp_path, shape=(40, 40)))
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
