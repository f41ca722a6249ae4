"""Names in two normal forms of Unicode, and with backslashes, in every source."""

import os
import re
import warnings
import zipfile
from unicodedata import normalize

import pytest
from mask_formats import CVAT_XML, FORMATS, SHAPE, archive, image

from cfcn_plugin.masks import BoxMasks, CVATMasks, MaskError, PNGMasks
from cfcn_plugin.masks.io.stored_names import normal_name, stored_name, stored_names

NFC = 'é/ü'  # a folder and a stem
NFD = normalize('NFD', NFC)
MIXED = f'{normalize("NFD", "é")}/ü'
LABELMAP = 'background:0,0,0::\ncow:1,1,1::\n'


def make(root, which, form):
    """The source of a format, for the image ``form``.jpg in place of a.jpg."""
    one = FORMATS[which]
    for name, data in {one.name: one.encoded(), **one.others}.items():
        name = re.sub(r'(^|/)a([._])', rf'\1{form}\2', name)
        data = data.replace(b'a.jpg', f'{form}.jpg'.encode())
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    if which == 'CVAT':
        (root / one.name).write_bytes(
            archive(
                {
                    'labelmap.txt': LABELMAP,
                    f'SegmentationClass/{form}.png': image('RGB'),
                }
            )
        )
    elif which == 'CVAT shapes in a zip':
        xml = CVAT_XML.replace('a.jpg', f'{form}.jpg')
        (root / one.name).write_bytes(archive({'annotations.xml': xml}))
    return one.make(str(root))


def add_image(root, form, ending='.jpg'):
    file = root / f'{form}{ending}'
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(image())
    return dict(img_path=str(file), ori_shape=SHAPE, gt_label=0)


@pytest.mark.parametrize(
    'which', [which for which in FORMATS if which != 'CUB names']
)  # which has two images
@pytest.mark.parametrize(
    'given,stored',
    [(NFC, NFD), (NFD, NFC), (NFC, NFC), (NFD, NFD), (NFC, MIXED), (MIXED, NFD)],
)
def test_each_source_finds_a_name_in_the_other_form(tmp_path, which, given, stored):
    sample = add_image(tmp_path, stored)
    source = make(tmp_path, which, given)
    assert source(sample).mask.any()
    source.check()
    assert source.missing([f'{stored}.jpg', 'b.jpg']) == ['b.jpg']
    keys = source.keys()
    assert keys == list(map(normal_name, keys))


@pytest.mark.parametrize('which', ['boxes', 'PNG', 'LabelMe', 'CVAT', 'IDRiD', 'COCO'])
def test_two_images_of_one_name_are_told(tmp_path, which):
    sample = add_image(tmp_path, NFC)
    source = make(tmp_path, which, NFC)
    other = tmp_path / 'é' / f'{NFD[-2:]}.jpg'
    other.write_bytes(image())
    for call in (source.check, lambda: source(sample)):
        with pytest.raises(MaskError, match=r'\\xfc.*u\\u0308|u\\u0308.*\\xfc'):
            call()
    other.unlink()
    source.check()


def test_two_masks_of_one_name_are_told(tmp_path):
    sample = add_image(tmp_path, 'ü')
    for form in ('ü', normalize('NFD', 'ü')):
        (tmp_path / f'{form}.png').write_bytes(image())
    source = PNGMasks('', data_root=str(tmp_path))
    for call in (source.check, lambda: source(sample)):
        with pytest.raises(MaskError, match='two normal forms of Unicode: remove'):
            call()


def test_one_file_that_both_names_find_is_one(tmp_path):
    # what macOS does with names, done by a link
    (tmp_path / 'ü').write_bytes(b'')
    os.link(tmp_path / 'ü', tmp_path / normalize('NFD', 'ü'))
    assert stored_names(tmp_path, 'ü') == ['ü']


# ---- backslashes -------------------------------------------------------------


@pytest.mark.parametrize(
    'which',
    [
        'boxes',
        'boxes in CSV',
        'points',
        'points in CSV',
        'COCO',
        'Label Studio',
        'CUB boxes',
    ],
)
def test_backslashes_in_annotations_are_separators(tmp_path, which):
    sample = add_image(tmp_path, 'cow/1')
    one = FORMATS[which]
    name = (
        b'cow\\1.jpg'
        if one.name == 'bounding_boxes.txt' or one.name.endswith('csv')
        else b'cow\\\\1.jpg'
    )
    for file, data in {one.name: one.encoded(), **one.others}.items():
        (tmp_path / file).write_bytes(data.replace(b'a.jpg', name))
    source = one.make(str(tmp_path))
    assert source(sample).mask.any() and source.keys() == ['cow/1.jpg']
    source.check()
    assert source.missing(['cow/1.jpg']) == []


@pytest.mark.parametrize(
    'name',
    [
        '..\\\\a.jpg',
        'b\\\\..\\\\..\\\\a.jpg',
        '\\\\a.jpg',
        'C:\\\\a.jpg',
        '\\\\\\\\host\\\\a.jpg',
    ],
)
def test_backslashes_that_leave_the_data_root_are_refused(tmp_path, name):
    (tmp_path / 'x.json').write_text(f'{{"{name}": [[0, 0, 2, 2]]}}')
    with pytest.raises(MaskError, match='path .* (has|is) .*below the data root'):
        BoxMasks('x.json', str(tmp_path))


def test_backslash_in_the_name_of_an_image_is_found_too(tmp_path):
    sample = add_image(tmp_path, 'cow\\1')
    (tmp_path / 'x.json').write_text('{"cow\\\\1.jpg": [[0, 0, 2, 2]]}')
    source = BoxMasks('x.json', str(tmp_path))
    source.check()
    assert source(sample).mask.sum() == 4
    assert stored_name(tmp_path, 'cow\\1.jpg') == 'cow\\1.jpg'


def test_name_is_changed_only_to_one_that_exists(tmp_path):
    add_image(tmp_path, NFD)
    back = NFC.replace('/', '\\')
    assert stored_name(tmp_path, f'{back}.jpg') == f'{NFD}.jpg'
    assert stored_name(tmp_path, 'gone\\a.jpg') == 'gone\\a.jpg'


# ---- archives ----------------------------------------------------------------


def packed(root, *names, label='labelmap.txt'):
    with zipfile.ZipFile(root / 'x.zip', 'w') as target, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        target.writestr(label, LABELMAP)
        for name in names:
            target.writestr(name, '' if name.endswith('\\') else image('RGB'))
    return root


def test_zip_that_was_packed_on_windows_is_read(tmp_path):
    packed(tmp_path, 'SegmentationClass\\', 'SegmentationClass\\cow\\1.png')
    source = CVATMasks('x.zip', data_root=str(tmp_path))
    assert source.export.archive.names() == [
        'SegmentationClass/cow/1.png',
        'labelmap.txt',
    ]
    assert source.keys() == ['cow/1']
    sample = add_image(tmp_path, 'cow/1')
    source.check()
    assert source(sample).mask.any()


@pytest.mark.parametrize(
    'name',
    [
        '..\\a.png',
        'SegmentationClass\\..\\..\\a.png',
        'C:\\a.png',
        '\\a.png',
        '\\\\host\\a.png',
    ],
)
def test_backslashes_that_leave_an_archive_are_refused(tmp_path, name):
    packed(tmp_path, name)
    with pytest.raises(MaskError, match='leaves the archive'):
        CVATMasks('x.zip', data_root=str(tmp_path))


@pytest.mark.parametrize(
    'one,other',
    [
        ('b\\a.png', 'b/a.png'),
        ('./b/a.png', 'b/a.png'),
        ('b/ü.png', normalize('NFD', 'b/ü.png')),
    ],
)
def test_members_that_become_one_name_are_told(tmp_path, one, other):
    packed(tmp_path, one, other)
    with pytest.raises(MaskError, match='has the file .* twice, as'):
        CVATMasks('x.zip', data_root=str(tmp_path))


def test_zip_of_macos_is_read(tmp_path):
    # NFD in UTF-8, without the flag that says so
    name = normalize('NFD', 'SegmentationClass/ü.png')
    packed(tmp_path, name)
    data = (tmp_path / 'x.zip').read_bytes()
    for head in (b'PK\3\4\x14\0', b'PK\1\2\x14\3\x14\0'):
        data = data.replace(head + b'\0\x08', head + b'\0\0')
    (tmp_path / 'x.zip').write_bytes(data)
    assert name not in zipfile.ZipFile(tmp_path / 'x.zip').namelist()
    sample = add_image(tmp_path, 'ü')
    source = CVATMasks('x.zip', data_root=str(tmp_path))
    source.check()
    assert source(sample).mask.any()


def test_name_in_the_old_code_page_stays(tmp_path):
    packed(tmp_path, 'SegmentationClass/ab.png')
    data = (tmp_path / 'x.zip').read_bytes().replace(b'/ab.png', b'/\x84b.png')
    (tmp_path / 'x.zip').write_bytes(data)
    assert CVATMasks('x.zip', data_root=str(tmp_path)).keys() == ['äb']
