"""Converted PNG masks: values, resumed runs, and files that are not replaced."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.annotation.convert import (
    ConversionResult,
    IndexRow,
    MaskConverter,
    convert_masks,
)
from cfcn_plugin.annotation.mask_values import label_values
from cfcn_plugin.annotation.outline_report import outline_lines, worst_outlines
from cfcn_plugin.annotation.samples import FolderSamples
from cfcn_plugin.atomic_write import atomic_write
from cfcn_plugin.masks import (
    GrabCut,
    MaskError,
    MaskLoader,
    MaskRecord,
    MaskSource,
    PNGMasks,
)

MASK = np.zeros((4, 6), np.uint8)
MASK[1:3, 2:5] = 1
IGNORE = np.zeros((4, 6), np.uint8)
IGNORE[0] = 1
ORIGIN = dict(source=dict(type='Dictionary'))


class Dictionary(MaskSource):
    """Masks by the image's name; counts how often it is asked."""

    def __init__(self, masks, root):
        super().__init__(str(root))
        self.masks = masks
        self.asked = []

    def __call__(self, results):
        name = Path(results['img_path']).name
        self.asked.append(name)
        found = self.masks.get(name)
        if isinstance(found, Exception):
            raise found
        return found

    def keys(self):
        return list(self.masks)

    def check(self):
        pass


@pytest.fixture
def images(tmp_path):
    (tmp_path / 'images' / 'sub').mkdir(parents=True)
    for name in ('a.jpg', 'b.jpg', 'sub/c.jpg'):
        Image.new('RGB', (6, 4)).save(tmp_path / 'images' / name)
    return tmp_path / 'images'


def source_of(images, **masks):
    return Dictionary({f'{name}.jpg': m for name, m in masks.items()}, images)


def make(images, source, origin=ORIGIN, jobs=1, **options):
    """The result of each image, by its name."""
    converter = MaskConverter(
        FolderSamples(images, MaskLoader(source)), images.parent / 'masks', **options
    )
    return {made.image: made for made in convert_masks(converter, origin, jobs)}


def read(images, folder='masks', **options) -> dict:
    source = PNGMasks(folder, 'images', data_root=str(images.parent), **options)
    return {
        name: source(dict(img_path=images / name, ori_shape=(4, 6)))
        for name in ('a.jpg', 'b.jpg', 'sub/c.jpg')
    }


def index(images) -> list[dict]:
    with (images.parent / 'masks' / 'index.csv').open(newline='') as stream:
        return list(csv.DictReader(stream))


# ---- what files hold -----------------------------------------------------------


def test_masks_and_ignored_pixels_are_read_back(images):
    make(
        images,
        source_of(
            images, a=MaskRecord(MASK, 'f', ignore=IGNORE), c=MaskRecord(1 - MASK, 'f')
        ),
    )
    got = read(images, ignore=[127])
    np.testing.assert_array_equal(got['a.jpg'].mask, MASK)
    np.testing.assert_array_equal(got['a.jpg'].ignore, IGNORE)
    np.testing.assert_array_equal(got['sub/c.jpg'].mask, 1 - MASK)
    assert got['b.jpg'] is None


def test_index_has_sizes_areas_and_classes_in_order(images):
    two = MaskRecord(np.stack([MASK, IGNORE]), 'f', np.array([3, 7]))
    make(images, source_of(images, c=MaskRecord(MASK, 'f', ignore=IGNORE), a=two))
    assert index(images) == [
        dict(
            image='a.jpg',
            mask='a.png',
            height='4',
            width='6',
            area='0.5',
            ignored='0.0',
            classes='3 7',
            ways='',
            kept='1.0',
        ),
        dict(
            image='sub/c.jpg',
            mask='sub/c.png',
            height='4',
            width='6',
            area='0.25',
            ignored='0.25',
            classes='',
            ways='',
            kept='1.0',
        ),
    ]


def test_union_is_causal_where_any_class_is(images):
    two = MaskRecord(np.stack([MASK, IGNORE]), 'f', np.array([3, 7]))
    make(images, source_of(images, a=two))
    np.testing.assert_array_equal(read(images)['a.jpg'].mask, MASK | IGNORE)


def test_label_files_hold_class_plus_one(images):
    two = MaskRecord(np.stack([MASK, IGNORE]), 'f', np.array([0, 7]))
    make(images, source_of(images, a=two), layout='values')
    with Image.open(images.parent / 'masks' / 'a.png') as file:
        assert file.mode == 'P'
        np.testing.assert_array_equal(np.array(file), MASK + 8 * IGNORE)
    for value, plane in ((1, MASK), (8, IGNORE)):
        got = read(images, causal=[value])['a.jpg']
        np.testing.assert_array_equal(got.mask, plane)


def test_label_files_mark_unknown_pixels_by_255():
    record = MaskRecord(MASK[None], 'f', np.array([2]), IGNORE)
    np.testing.assert_array_equal(label_values(record), 3 * MASK + 255 * IGNORE)


@pytest.mark.parametrize(
    'planes,classes,message',
    [
        ([MASK, MASK], [1, 2], 'overlap in 6 pixels.*--classes folders'),
        ([MASK], [254], 'class 254.*--classes folders'),
    ],
)
def test_mask_that_a_label_file_cannot_hold_is_reported(
    images, planes, classes, message
):
    record = MaskRecord(np.stack(planes), 'f', np.array(classes))
    with pytest.raises(MaskError, match=message):
        label_values(record)
    made = make(images, source_of(images, a=record), layout='values')
    assert 'label file' in made['a.jpg'].failure and not index(images)


def test_a_folder_a_class_holds_overlapping_ones(images):
    two = MaskRecord(np.stack([MASK, MASK]), 'f', np.array([3, 7]))
    make(images, source_of(images, a=two), layout='folders')
    for label in (3, 7):
        got = read(images, f'masks/{label}')['a.jpg']
        np.testing.assert_array_equal(got.mask, MASK)
    assert [row['mask'] for row in index(images)] == ['3/a.png', '7/a.png']


def test_empty_mask_stays_an_empty_mask(images):
    make(images, source_of(images, a=MaskRecord(MASK * 0, 'f')))
    assert not read(images)['a.jpg'].mask.any()
    assert index(images)[0]['area'] == '0.0'


# ---- what goes wrong -------------------------------------------------------------


def test_one_bad_image_or_mask_stops_no_other(images):
    (images / 'b.jpg').write_bytes(b'no image')
    made = make(
        images,
        source_of(
            images,
            a=MaskError("mask 'f' is cut"),
            b=MaskRecord(MASK, 'f'),
            c=MaskRecord(MASK, 'f'),
        ),
    )
    assert made['a.jpg'].failure == "mask 'f' is cut"
    assert 'b.jpg' in made['b.jpg'].failure
    assert not made['sub/c.jpg'].failure and len(index(images)) == 1


def test_mask_of_another_size_is_not_written(images):
    made = make(images, source_of(images, a=MaskRecord(MASK.T.copy(), 'f')))
    assert '(6, 4)' in made['a.jpg'].failure
    assert not (images.parent / 'masks' / 'a.png').exists()


@pytest.mark.parametrize('name', ['../../secret.png', '/secret.png', 'l/secret.png'])
def test_mask_outside_the_folder_is_not_written(images, name):
    out = images.parent / 'deep' / 'masks'
    out.mkdir(parents=True)
    (out / 'l').symlink_to(images.parent)
    samples = FolderSamples(
        images,
        MaskLoader(
            source_of(images, a=MaskRecord(MASK, 'f'), secret=MaskRecord(MASK, 'f'))
        ),
    )
    Image.new('RGB', (6, 4)).save(images / 'secret.jpg')
    samples.names = ['a.jpg', name]
    samples.__class__ = type(
        'Hostile',
        (FolderSamples,),
        {
            '__getitem__': lambda self, i: dict(
                img_path=str(images / ('a.jpg', 'secret.jpg')[i])
            )
        },
    )
    made = list(convert_masks(MaskConverter(samples, out, overwrite=True), ORIGIN))
    assert not made[0].failure and 'secret.png' in made[-1].failure
    assert not list(images.parent.glob('*.png'))


def test_unknown_layout_is_refused(images):
    with pytest.raises(ValueError, match="`layout`.*'union'.*got 'rows'"):
        make(images, source_of(images), layout='rows')


# ---- again -----------------------------------------------------------------------


def test_killed_run_goes_on_and_makes_nothing_twice(images):
    masks = dict(
        a=MaskRecord(MASK, 'f'), b=MaskRecord(MASK, 'f'), c=MaskRecord(MASK, 'f')
    )
    out = images.parent / 'masks'
    first = convert_masks(
        MaskConverter(
            FolderSamples(images, MaskLoader(source_of(images, **masks))), out
        ),
        ORIGIN,
    )
    assert [next(first).image, next(first).image] == ['a.jpg', 'b.jpg']
    first.close()
    text = (out / 'index.csv').read_bytes()
    (out / 'index.csv').write_bytes(text[:-12])  # b's line was half written
    source = source_of(images, **masks)
    made = make(images, source)
    assert source.asked == ['b.jpg', 'c.jpg']
    assert not any(one.failure for one in made.values())
    assert [row['image'] for row in index(images)] == ['a.jpg', 'b.jpg', 'sub/c.jpg']


def test_file_that_was_removed_is_made_again(images):
    masks = dict(a=MaskRecord(MASK, 'f'))
    make(images, source_of(images, **masks))
    (images.parent / 'masks' / 'a.png').unlink()
    assert make(images, source_of(images, **masks))['a.jpg'].rows
    assert (images.parent / 'masks' / 'a.png').is_file()


def test_file_of_someone_else_is_kept_unless_overwritten(images):
    path = images.parent / 'masks' / 'a.png'
    path.parent.mkdir()
    Image.fromarray(MASK * 0).save(path)
    before = path.read_bytes()
    masks = dict(a=MaskRecord(MASK, 'f'))
    made = make(images, source_of(images, **masks))
    assert '--overwrite' in made['a.jpg'].failure and path.read_bytes() == before
    assert not make(images, source_of(images, **masks), overwrite=True)['a.jpg'].failure
    np.testing.assert_array_equal(read(images)['a.jpg'].mask, MASK)


def test_folder_of_another_origin_is_refused(images):
    make(images, source_of(images, a=MaskRecord(MASK, 'f')))
    with pytest.raises(FileExistsError, match='masks of another origin.*--overwrite'):
        make(images, source_of(images), origin=dict(source=dict(type='Other')))


def test_wrong_first_try_that_left_no_mask_is_forgotten(images):
    make(images, source_of(images), origin=dict(source=dict(type='Wrong')))
    failing = source_of(images, a=MaskError("mask 'f' is cut"))
    assert make(images, failing, origin=dict(source=dict(type='Wrong 2')))[
        'a.jpg'
    ].failure
    assert make(images, source_of(images, a=MaskRecord(MASK, 'f')))['a.jpg'].rows
    np.testing.assert_array_equal(read(images)['a.jpg'].mask, MASK)


def test_images_in_the_folder_of_masks_are_no_masks_of_another_origin(images):
    Image.new('RGB', (6, 4)).save(images / 'd.png')
    samples = FolderSamples(images, MaskLoader(source_of(images)))
    converter = MaskConverter(samples, images.parent)
    for kind in ('Wrong', 'Right'):
        list(convert_masks(converter, dict(source=dict(type=kind))))
    (images.parent / 'a.png').write_bytes(b'a mask')
    with pytest.raises(FileExistsError, match='another origin'):
        list(convert_masks(converter, dict(source=dict(type='Other'))))


def test_folder_whose_index_is_missing_is_continued_and_its_masks_compared(images):
    masks, out = dict(a=MaskRecord(MASK, 'f')), images.parent / 'masks'
    make(images, source_of(images, **masks))
    (out / 'index.csv').unlink()
    assert make(images, source_of(images, **masks))['a.jpg'].rows
    assert [row['image'] for row in index(images)] == ['a.jpg']
    (out / 'index.csv').unlink()
    other = make(images, source_of(images, a=MaskRecord(1 - MASK, 'f')))
    assert 'exists and holds another mask' in other['a.jpg'].failure


@pytest.mark.parametrize('name', ['made_from.json', 'index.csv'])
@pytest.mark.parametrize(
    'content', [b'', b'{"source": {"ty', b'\xff\xfe', b'a,b\n1,2\n']
)
def test_file_of_an_earlier_run_that_cannot_be_read_is_named(images, name, content):
    masks, out = dict(a=MaskRecord(MASK, 'f')), images.parent / 'masks'
    make(images, source_of(images, **masks))
    (out / name).write_bytes(content)
    with pytest.raises(ValueError, match=name):
        make(images, source_of(images, **masks))
    if name == 'index.csv':  # the remedy of the message
        (out / name).unlink()
    assert make(images, source_of(images, **masks), overwrite=name != 'index.csv')[
        'a.jpg'
    ].rows


def test_bad_row_inside_the_index_is_an_error_and_a_cut_last_one_is_not(images):
    two = np.stack([MASK, IGNORE])
    masks = dict(a=MaskRecord(MASK, 'f'), c=MaskRecord(two, 'f', np.array([3, 7])))
    make(images, source_of(images, **masks))
    file = images.parent / 'masks' / 'index.csv'
    text = file.read_bytes()
    file.write_bytes(text[:-3])  # 'classes' of the last row became '3 '
    source = source_of(images, **masks)
    make(images, source)
    assert source.asked == ['b.jpg', 'c.jpg'] and file.read_bytes() == text
    file.write_bytes(text.replace(b'a.png,4,6', b'a.png,4,six'))
    with pytest.raises(ValueError, match='index.csv.*six.*delete the file'):
        make(images, source_of(images, **masks))


def test_kill_between_the_first_two_files_trusts_no_row_of_another_origin(
    images, monkeypatch
):
    make(images, source_of(images, a=MaskRecord(MASK, 'f')))
    written = []

    def write_and_die(file, content):
        if written:
            raise KeyboardInterrupt
        written.append(file.name)
        atomic_write(file, content)

    for name in ('convert', 'mask_index'):
        monkeypatch.setattr(
            f'cfcn_plugin.annotation.{name}.atomic_write', write_and_die
        )
    other = (
        dict(source=dict(type='Other')),
        source_of(images, a=MaskRecord(1 - MASK, 'f')),
    )
    with pytest.raises(KeyboardInterrupt):
        make(images, other[1], origin=other[0], overwrite=True)
    monkeypatch.undo()
    assert index(images) == []
    make(images, other[1], origin=other[0], overwrite=True)
    np.testing.assert_array_equal(read(images)['a.jpg'].mask, 1 - MASK)


def test_image_whose_name_is_not_utf_8_is_told_and_stops_no_other(images):
    name = os.fsdecode(b'caf\xe9.jpg')
    try:
        Image.new('RGB', (6, 4)).save(images / name)
    except OSError:
        pytest.skip('the file system has only UTF-8 names')
    source = Dictionary(
        {
            name: MaskRecord(MASK, 'f'),
            'a.jpg': MaskRecord(MASK, 'f'),
            'c.jpg': MaskRecord(MASK, 'f'),
        },
        images,
    )
    made = make(images, source)
    assert 'not UTF-8: rename' in made[name].failure
    assert [row['image'] for row in index(images)] == ['a.jpg', 'sub/c.jpg']
    assert make(images, source)['a.jpg'].rows


@pytest.mark.parametrize(
    'name', ['a\nb.jpg', 'a\r\n.jpg', 'a\u2028b.jpg', 'a"\',b.jpg']
)
def test_any_name_that_is_utf_8_has_its_row(images, name):
    Image.new('RGB', (6, 4)).save(images / name)
    make(images, Dictionary({name: MaskRecord(MASK, 'f')}, images))
    assert [row['image'] for row in index(images)] == [name]
    source = Dictionary({name: MaskRecord(MASK, 'f')}, images)
    assert make(images, source)[name].rows and name not in source.asked


def test_several_processes_make_the_same(images):
    masks = dict(a=MaskRecord(MASK, 'f'), c=MaskRecord(1 - MASK, 'f'))
    made = make(images, source_of(images, **masks), jobs=2)
    assert made['a.jpg'].rows == (IndexRow('a.jpg', 'a.png', 4, 6, 0.25, 0.0, ''),)
    np.testing.assert_array_equal(read(images)['sub/c.jpg'].mask, 1 - MASK)


# ---- outlines ----------------------------------------------------------------


@pytest.fixture
def marked(tmp_path):
    """A red disc, a disc without a colour of its own, and their boxes."""
    rows, columns = np.ogrid[:48, :64]
    disc = np.hypot(rows - 24, columns - 32) < 15
    noise = np.random.default_rng(0).integers(0, 40, (48, 64, 3)).astype(np.uint8)
    (tmp_path / 'images').mkdir()
    for name, seen in (('a', disc), ('b', disc & False)):
        red = noise + np.array([200, 0, 0], np.uint8)
        image = Image.fromarray(np.where(seen[..., None], red, noise))
        image.save(tmp_path / f'images/{name}.png')
    box = np.zeros(disc.shape, np.uint8)
    box[8:41, 16:49] = 1
    masks = {f'{name}.png': MaskRecord(box, 'f') for name in 'ab'}
    return tmp_path / 'images', Dictionary(masks, tmp_path / 'images'), disc, box


def test_marks_become_outlines_and_what_has_none_is_in_the_index(marked):
    images, source, disc, box = marked
    made = make(images, source, refine=GrabCut(most=0.9, least=0.5))
    assert made['a.png'].ways == {'outline': 1}
    row = made['a.png'].rows[0]
    assert row.ways == 'outline=1' and row.kept == pytest.approx(
        disc.sum() / box.sum(), abs=0.02
    )
    mask = np.array(Image.open(images.parent / 'masks/a.png'))
    assert (mask & disc).sum() / (mask | disc).sum() > 0.97
    again = make(images, source, refine=GrabCut(most=0.9, least=0.5))
    assert again == made and source.asked == ['a.png', 'b.png']


def test_outlines_are_those_of_a_training(marked):
    images, source, _, box = marked
    make(images, source, refine=GrabCut())
    pixels = np.array(Image.open(images / 'a.png'))[..., ::-1]  # as mmcv loads it
    np.testing.assert_array_equal(
        np.array(Image.open(images.parent / 'masks/a.png')), GrabCut()(pixels, box).mask
    )


def test_index_from_before_outlines_goes_on(marked):
    images, source, _, _ = marked
    before = make(images, source)
    file = images.parent / 'masks' / 'index.csv'
    file.write_text(
        ''.join(
            ','.join(line.split(',')[:7]) + '\n'
            for line in file.read_text().splitlines()
        )
    )
    assert make(images, source) == before and source.asked == ['a.png', 'b.png']


def test_worst_outlines_come_first_and_those_without_one_are_listed(marked):
    images, source, _, _ = marked
    made = make(images, source, refine=GrabCut())
    results = list(made.values())
    results[0] = ConversionResult(
        'a.png', (results[0].rows[0]._replace(ways='ellipse=1 outline=2', kept=0.4),)
    )
    lines = list(outline_lines(results * 11, Path('index.csv')))
    assert lines[0].startswith('Marks became') and 'ellipses in the mark' in lines[0]
    assert lines[1] == '  a.png: 2 outlines, 1 ellipses in the mark'
    entries = worst_outlines(results[::-1], images, images.parent / 'masks')
    assert [entry.name for entry in entries] == ['a.png', 'b.png']
    assert entries[0].reason.endswith('; 40% of the mark')
    assert entries[0].mask.max() == 1 and entries[0].image.shape == (48, 64, 3)
