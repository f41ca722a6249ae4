"""COCO: every outline type with manual results, every option, every wrong file."""

import json
import tracemalloc

import numpy as np
import pytest
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import TASK_UTILS
from PIL import Image
from pycocotools import mask as coco_mask
from torch.utils.data import DataLoader
from unbroken import unbroken

from cfcn_plugin.masks import COCOMasks, MaskError, MaskSizeError

SHAPE = (4, 6)
LEFT = np.zeros(SHAPE, np.uint8)
LEFT[1:3, 0:3] = 1  # the box [0, 1, 3, 2]
RIGHT = np.zeros(SHAPE, np.uint8)
RIGHT[1:3, 2:5] = 1
POLYGON = [[0, 1, 3, 1, 3, 3, 0, 3]]  # the same box
CATEGORIES = [dict(id=3, name='dog'), dict(id=9, name='cat')]


def plain_rle(mask):
    runs, value = [0], 0
    for pixel in mask.T.ravel().tolist():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return dict(size=list(mask.shape), counts=runs)


def short_rle(mask):
    rle = coco_mask.encode(np.asfortranarray(mask))
    return dict(size=list(mask.shape), counts=rle['counts'].decode())


def annotation(segmentation=None, bbox=(0, 1, 3, 2), **other):
    """An annotation of image 5, ``a.jpg``; None leaves a field out."""
    fields = dict(
        id=1,
        image_id=5,
        category_id=3,
        iscrowd=0,
        bbox=list(bbox),
        segmentation=POLYGON if segmentation is None else segmentation,
    )
    fields.update(other)
    return {name: value for name, value in fields.items() if value is not None}


def no_box(one):
    return {name: value for name, value in one.items() if name != 'bbox'}


def content(*annotations, **parts):
    images = [
        dict(id=5, file_name='a.jpg', height=4, width=6),
        dict(id=6, file_name='b.jpg', height=4, width=6),
    ]
    return dict(
        images=images, categories=CATEGORIES, annotations=list(annotations), **parts
    )


def write(root, whole, name='x.json'):
    (root / name).write_text(json.dumps(whole))
    return name


def source(root, *annotations, **options):
    return COCOMasks(write(root, content(*annotations)), str(root), **options)


def sample(root, name='a.jpg', shape=SHAPE, **other):
    return dict(img_path=str(root / name), ori_shape=shape, **other)


# ---- outlines --------------------------------------------------------------


@pytest.mark.parametrize(
    'segmentation',
    [
        POLYGON,
        plain_rle(LEFT),
        short_rle(LEFT),
        [[0, 1, 2, 1, 2, 3, 0, 3], [1, 1, 3, 1, 3, 3, 1, 3]],
    ],
    ids=['polygon', 'plain RLE', 'compressed RLE', 'two polygons'],
)
def test_every_kind_of_segmentation_gives_the_same_mask(tmp_path, segmentation):
    record = source(tmp_path, annotation(segmentation))(sample(tmp_path))
    assert record.mask.dtype == np.uint8 and record.mask.flags.c_contiguous
    np.testing.assert_array_equal(record.mask, LEFT)
    assert record.ignore is None and record.classes is None
    assert 'x.json' in record.file and 'a.jpg' in record.file


def test_boxes_are_corner_and_size(tmp_path):
    made = source(tmp_path, annotation(segmentation=[]), use='bbox')
    np.testing.assert_array_equal(made(sample(tmp_path)).mask, LEFT)


def test_box_that_cvat_turned_is_named(tmp_path):
    turned = annotation(segmentation=[], attributes=dict(rotation=30.5, track_id=1))
    for use in ('bbox', 'segmentation_or_bbox'):
        with pytest.raises(MaskError, match='by 30.5 degrees: .*CVAT for images 1.1'):
            unbroken(source(tmp_path, turned, use=use))
    for attributes in (
        dict(rotation=0.0),
        dict(rotation=180),
        dict(rotation='left'),
        [],
        {},
    ):
        made = source(
            tmp_path, annotation(segmentation=[], attributes=attributes), use='bbox'
        )
        np.testing.assert_array_equal(made(sample(tmp_path)).mask, LEFT)
    made = source(tmp_path, annotation(attributes=dict(rotation=30.5)))
    np.testing.assert_array_equal(made(sample(tmp_path)).mask, LEFT)


def test_objects_of_one_image_add_up_however_they_are_drawn(tmp_path):
    made = source(
        tmp_path, annotation(), annotation(plain_rle(RIGHT), id=2), annotation(id=1)
    )  # occurs twice: harmless
    np.testing.assert_array_equal(made(sample(tmp_path)).mask, LEFT | RIGHT)


def test_equals_pycocotools_on_random_polygons(tmp_path):
    rng = np.random.default_rng(0)
    polygons = [rng.uniform(-3, 33, 2 * n).round(2).tolist() for n in range(3, 30)]
    whole = content(
        *(annotation([p], id=i, image_id=i) for i, p in enumerate(polygons))
    )
    whole['images'] = [
        dict(id=i, file_name=f'{i}.jpg', height=30, width=33)
        for i in range(len(polygons))
    ]
    made = COCOMasks(write(tmp_path, whole), str(tmp_path))
    for i, polygon in enumerate(polygons):
        rles = coco_mask.frPyObjects([polygon], 30, 33)
        mask = made(sample(tmp_path, f'{i}.jpg', (30, 33))).mask
        np.testing.assert_array_equal(mask, coco_mask.decode(rles)[..., 0])


# ---- choices ---------------------------------------------------------------


@pytest.mark.parametrize(
    'crowd,mask,ignore',
    [
        ('ignore', LEFT, RIGHT & (1 - LEFT)),
        ('causal', LEFT | RIGHT, None),
        ('skip', LEFT, None),
    ],
)
def test_crowd_is_what_is_asked_for(tmp_path, crowd, mask, ignore):
    made = source(
        tmp_path, annotation(), annotation(plain_rle(RIGHT), iscrowd=1), crowd=crowd
    )
    record = made(sample(tmp_path))
    np.testing.assert_array_equal(record.mask, mask)
    if ignore is None:
        assert record.ignore is None
    else:
        np.testing.assert_array_equal(record.ignore, ignore)


def two(root, **options):
    return source(
        root, annotation(), annotation(plain_rle(RIGHT), id=2, category_id=9), **options
    )


def test_categories_choose_by_name(tmp_path):
    mask = two(tmp_path, categories=['cat'])(sample(tmp_path)).mask
    np.testing.assert_array_equal(mask, RIGHT)


def test_each_class_has_its_plane(tmp_path):
    record = two(tmp_path, objects='per_class', classes=['cat', 'dog'])(
        sample(tmp_path)
    )
    assert record.classes.tolist() == [0, 1]
    np.testing.assert_array_equal(record.mask, [RIGHT, LEFT])


def test_label_chooses_the_images_own_object(tmp_path):
    made = two(tmp_path, objects='label', classes={'dog': 207, 'cat': 281})
    np.testing.assert_array_equal(made(sample(tmp_path, gt_label=281)).mask, RIGHT)
    with pytest.raises(MaskError, match=r"x.json', 'a.jpg': no object of .*\[3\]"):
        made(sample(tmp_path, gt_label=3))


def test_image_without_annotation_or_entry_has_no_mask(tmp_path):
    made = source(tmp_path, annotation())
    assert made(sample(tmp_path, 'b.jpg')) is None
    assert made(sample(tmp_path, 'c.jpg')) is None
    assert made.keys() == ['a.jpg']


def test_file_names_are_below_the_folder_of_images(tmp_path):
    made = TASK_UTILS.build(
        dict(
            type='COCOMasks',
            ann_file=write(tmp_path, content(annotation())),
            data_root=str(tmp_path),
            images='train2017',
        )
    )
    assert made.keys() == ['train2017/a.jpg']
    assert made(sample(tmp_path, 'train2017/a.jpg')).mask.any()


def test_check_names_annotations_of_images_that_are_not_there(tmp_path):
    made = source(tmp_path, annotation())
    with pytest.raises(MaskError, match="x.json' belong to no image.*'a.jpg'"):
        made.check()
    (tmp_path / 'a.jpg').touch()
    made.check()


# ---- end to end ------------------------------------------------------------


def test_workers_load_the_masks_of_a_pipeline(tmp_path):
    for name in 'ab':
        Image.new('RGB', SHAPE[::-1]).save(tmp_path / f'{name}.jpg')
    whole = content(
        annotation(),
        annotation(plain_rle(RIGHT), id=2, image_id=6),
        annotation(id=3, image_id=6, category_id=9),
    )
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(
            type='LoadActivationMask',
            source=dict(
                type='COCOMasks',
                ann_file=write(tmp_path, whole),
                data_root=str(tmp_path),
                objects='per_class',
                classes=['cat', 'dog'],
            ),
        ),
        dict(type='MaskAware', transform=dict(type='RandomFlip', prob=1.0)),
        dict(type='PackGuidedInputs'),
    ]
    data = BaseDataset(
        ann_file='', data_root=str(tmp_path), pipeline=pipeline, lazy_init=True
    )
    data.load_data_list = lambda: [
        dict(img_path=str(tmp_path / f'{name}.jpg'), gt_label=0) for name in 'ab'
    ]
    data.full_init()
    first, second = (
        one['data_samples']
        for one in DataLoader(
            data, num_workers=1, batch_size=None, multiprocessing_context='fork'
        )
    )
    assert first.mask_classes.tolist() == [1] and second.mask_classes.tolist() == [0, 1]
    np.testing.assert_array_equal(first.activation_mask, [LEFT[:, ::-1]])
    np.testing.assert_array_equal(
        second.activation_mask, [LEFT[:, ::-1], RIGHT[:, ::-1]]
    )


# ---- wrong annotations -----------------------------------------------------

WRONG = {
    'three numbers': (annotation([[1, 2, 3]]), r'three points.*\[1, 2, 3\]'),
    'a box for a polygon': (annotation([[1, 1, 3, 3]]), 'three points'),
    'odd count': (annotation([[0, 1, 3, 1, 3, 3, 0]]), 'even number'),
    'flat polygon': (annotation(POLYGON[0]), r'list of polygons .*got \[0'),
    'no polygon': (annotation([]), "'bbox' and no 'segm.*use='segmentation_or_bbox'"),
    'no polygon and no box': (no_box(annotation([])), r'polygons .* got \[\]'),
    'text polygon': (annotation([['0', '1', '3', '1', '3', '3']]), 'three points'),
    'segmentation of text': (annotation('0 1 3 1'), 'list of polygons .*0 1 3 1'),
    'NaN polygon': (annotation([[float('nan'), 1, 3, 1, 3, 3]]), 'finite.*nan'),
    'infinite polygon': (annotation([[0, 1, 3, float('inf'), 3, 3]]), 'finite.*inf'),
    'polygon outside': (annotation([[7, 1, 9, 1, 9, 3]]), 'lies outside the image'),
    'polygon far beyond': (annotation([[0, 1, 1e9, 1, 3, 3]]), 'goes far beyond'),
    'RLE of another size': (
        annotation(plain_rle(LEFT.T)),
        r'RLE of size \[6, 4\], expected .*\[4, 6\]',
    ),
    'RLE too short': (annotation(dict(size=[4, 6], counts=[3, 2])), 'add up to 4'),
    'RLE malformed': (annotation(dict(size=[4, 6], counts='oo')), 'RLE with .counts.'),
    'RLE without size': (annotation(dict(counts=[24])), "'size'"),
    'image unknown': (annotation(image_id=77), 'image_id 77 is not in'),
    'category unknown': (annotation(category_id=77), 'category_id 77 is not in'),
    'no image_id': (annotation(image_id=None), r"annotations\[1\]: .*'image_id'"),
    'no category_id': (annotation(category_id=None), 'category_id None is not in'),
    'image_id a list': (annotation(image_id=[5]), r'image_id \[5\] is not in'),
    'image_id as text': (
        annotation(image_id='5'),
        "image_id '5' is text, and the id of each image is a number",
    ),
    'image_id true': (annotation(image_id=True), 'image_id True is not in the file'),
    'category_id as text': (
        annotation(category_id='3'),
        "category_id '3' is text, and the id of each category is a number",
    ),
    'iscrowd 2': (annotation(iscrowd=2), "'iscrowd' 0 or 1.*2"),
}


@pytest.mark.parametrize('kind', WRONG)
def test_wrong_annotation_names_file_annotation_and_what_came(tmp_path, kind):
    wrong, message = WRONG[kind]
    with pytest.raises(MaskError, match=message) as caught:
        unbroken(source(tmp_path, annotation(), {**wrong, 'id': 31}))
    assert str(caught.value).startswith(f"'{tmp_path / 'x.json'}', ")
    place = 'annotations[1]' if kind == 'no image_id' else 'annotation 31'
    assert f'{place}: ' in str(caught.value)


def test_file_without_images_or_categories_names_the_missing_id(tmp_path):
    write(tmp_path, {**content(annotation()), 'images': []})
    with pytest.raises(MaskError, match='image_id 5 is not in the file'):
        COCOMasks('x.json', str(tmp_path))
    write(tmp_path, {**content(annotation()), 'categories': []})
    with pytest.raises(MaskError, match='category_id 3 is not in the file'):
        unbroken(COCOMasks('x.json', str(tmp_path)))


def test_annotation_without_a_segmentation_says_so(tmp_path):
    wrong = annotation()
    del wrong['segmentation']
    with pytest.raises(MaskError, match="annotation 1: has a 'bbox' and no 'segment"):
        unbroken(source(tmp_path, wrong))
    assert source(tmp_path, wrong, use='bbox')(sample(tmp_path)).mask.any()


@pytest.mark.parametrize(
    'box,message',
    [
        ((0, 1, -3, 2), 'has no inside.*x, y, width, height'),
        ((float('nan'), 1, 3, 2), r'four finite numbers, got \[nan'),
        ((0, 1, 3), r'four finite numbers, got \[0, 1, 3\]'),
        ((10**400, 1, 3, 2), r'four finite numbers, got \[1000'),
        ((6, 1, 3, 2), 'lies outside the image of 6 x 4'),
        ((0, 1, 3, 200), 'goes far beyond'),
    ],
)
def test_wrong_box_names_file_annotation_and_what_came(tmp_path, box, message):
    with pytest.raises(MaskError, match=f"'a.jpg', annotation 1: .*{message}"):
        unbroken(source(tmp_path, annotation(bbox=box), use='bbox'))


def test_flat_boxes_as_coco_has_them_are_left_out_with_a_word(tmp_path, caplog):
    flat = [annotation(bbox=(0, 1, 0, 2), id=8), annotation(bbox=(1, 4, 3, 0), id=9)]
    made = source(tmp_path, annotation(), *flat, use='bbox')
    np.testing.assert_array_equal(made(sample(tmp_path)).mask, LEFT)
    assert '2 boxes without width or height are left out, of annotations 8, 9' in (
        caplog.text
    )


def test_crowd_of_the_label_alone_is_unknown_and_no_missing_label(tmp_path):
    made = source(
        tmp_path,
        annotation(plain_rle(RIGHT), iscrowd=1),
        objects='label',
        classes=['dog', 'cat'],
    )
    record = made(sample(tmp_path, gt_label=0))
    assert not record.mask.any()
    np.testing.assert_array_equal(record.ignore, RIGHT)


# ---- what is not asked for, and what belongs to one image -------------------


def test_box_without_a_segmentation_is_an_error_of_its_image_alone(tmp_path):
    triangle = annotation([[10, 10, 30, 10, 30, 30]], bbox=(10, 10, 20, 20))
    box = annotation([], bbox=(5, 5, 20, 20), id=2, image_id=6, category_id=9)
    whole = content(triangle, box)
    whole['images'] = [dict(one, height=40, width=60) for one in whole['images']]
    name, shape = write(tmp_path, whole), (40, 60)
    a, b = (sample(tmp_path, f'{name}.jpg', shape) for name in 'ab')
    made = COCOMasks(name, str(tmp_path))
    assert made(a).mask.sum() == 190  # as pycocotools draws it
    with pytest.raises(MaskError, match="'b.jpg', annotation 2: has a 'bbox' and no"):
        made(b)
    both = COCOMasks(name, str(tmp_path), use='segmentation_or_bbox')  # the remedy
    assert not both.broken()
    assert both(a).mask.sum() == 190 and both(b).mask.sum() == 400
    asked = COCOMasks(name, str(tmp_path), categories=['dog'])
    assert not asked.broken() and asked(a).mask.sum() == 190 and not asked(b).mask.any()


@pytest.mark.parametrize(
    'kind',
    [
        kind
        for kind, (wrong, _) in WRONG.items()
        if wrong.get('image_id') == 5 and wrong.get('category_id') == 3
    ],
)
def test_broken_object_of_a_category_that_is_not_asked_for_stops_nothing(
    tmp_path, kind
):
    wrong, _ = WRONG[kind]
    made = source(tmp_path, annotation(category_id=9), wrong, categories=['cat'])
    assert not made.broken()
    np.testing.assert_array_equal(made(sample(tmp_path)).mask, LEFT)


def test_crowd_that_is_skipped_is_not_read(tmp_path):
    made = source(tmp_path, annotation(), annotation([], iscrowd=1), crowd='skip')
    assert not made.broken()


def test_image_of_the_file_that_no_annotation_needs_may_be_wrong(tmp_path):
    whole = content(annotation())
    whole['images'] += [dict(id=7, file_name='c.jpg'), dict(id=8, file_name='b.jpg')]
    assert not COCOMasks(write(tmp_path, whole), str(tmp_path)).broken()


# ---- wrong files -----------------------------------------------------------


def spoilt(part, *entries):
    return {**content(annotation()), part: list(entries)}


IMAGE = dict(id=5, file_name='a.jpg', height=4, width=6)
WRONG_FILES = {
    'a list, as results are': ([annotation()], 'expected an object, got list'),
    'no images': (
        dict(annotations=[annotation()], categories=CATEGORIES),
        r"an object with lists.*got \['annotations', 'cat",
    ),
    'annotations no list': ({**content(), 'annotations': {}}, 'a COCO instance file'),
    'no annotation': (content(), 'holds no annotation'),
    'annotation of text': (content('a'), r"annotations\[0\]: expected .*got 'a'"),
    'annotation of another kind': (content(dict(file='a')), r'tations\[0\]: expect'),
    'image id twice': (
        spoilt('images', IMAGE, {**IMAGE, 'file_name': 'b.jpg'}),
        r'images\[1\]: id 5 occurs twice',
    ),
    'file name twice': (
        spoilt('images', IMAGE, {**IMAGE, 'id': 6}),
        r"images\[1\]: file_name 'a.jpg' occurs twice",
    ),
    'one file written in two ways': (
        spoilt('images', IMAGE, {**IMAGE, 'id': 6, 'file_name': './a.jpg'}),
        r"images\[1\]: file_name './a.jpg' occurs twice",
    ),
    'absolute file name': (
        spoilt('images', {**IMAGE, 'file_name': '/etc/a.jpg'}),
        r"images\[0\]: path '/etc/a.jpg' is absolute",
    ),
    'file name above the root': (
        spoilt('images', {**IMAGE, 'file_name': '../a.jpg'}),
        r"images\[0\]: path '../a.jpg' has '..'",
    ),
    'no file name': (
        spoilt('images', dict(id=5, height=4, width=6)),
        r'images\[0\]: expected the name of an image, got None',
    ),
    'no height': (
        spoilt('images', dict(id=5, file_name='a.jpg', width=6)),
        r"images\[0\]: expected .*'height'",
    ),
    'height of text': (spoilt('images', {**IMAGE, 'height': '4'}), "'height'.*'4'"),
    'image no object': (spoilt('images', 'a.jpg'), r"images\[0\]: .*got 'a.jpg'"),
    'category twice': (
        spoilt('categories', *CATEGORIES, dict(id=3, name='cow')),
        r"categories\[2\]: id 3 occurs twice, for 'dog' and 'cow'",
    ),
    'category without a name': (
        spoilt('categories', dict(id=3)),
        r"categories\[0\]: expected .*'name'",
    ),
}


@pytest.mark.parametrize('kind', WRONG_FILES)
def test_wrong_file_names_file_place_and_what_came(tmp_path, kind):
    whole, message = WRONG_FILES[kind]
    with pytest.raises(MaskError, match=message) as caught:
        unbroken(COCOMasks(write(tmp_path, whole), str(tmp_path)))
    assert f"'{tmp_path / 'x.json'}'" in str(caught.value)


def test_huge_file_is_never_there_as_objects(tmp_path):
    numbers = np.random.default_rng(0).uniform(0, 4, 60).round(2).tolist()
    whole = content(*(annotation([numbers], id=i) for i in range(1000)))
    name = write(tmp_path, whole)
    del whole

    def peak(read):
        tracemalloc.start()
        made = read()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found, made

    objects, _ = peak(lambda: json.loads((tmp_path / name).read_text()))
    packed, made = peak(lambda: COCOMasks(name, str(tmp_path)))
    assert packed < 0.7 * objects and len(made.index) == 1000


@pytest.mark.parametrize(
    'raw',
    [
        b'',
        b'{"images": [',
        '{"images": "\u00e4"}'.encode('latin1'),
        b'\xff\xd8\xff',
        b'[' * 200_000,
        b'1' * 5000,
    ],
    ids=['empty', 'cut', 'latin 1', 'a JPEG', 'nested', 'a huge number'],
)
def test_file_that_is_no_json_is_named(tmp_path, raw):
    (tmp_path / 'x.json').write_bytes(raw)
    with pytest.raises(MaskError, match=r"x.json': not JSON in UTF-8 \("):
        COCOMasks('x.json', str(tmp_path))


def test_missing_file_names_file_and_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match="x.json' does not exist: correct its"):
        COCOMasks('x.json', str(tmp_path))


def test_unknown_category_is_named_with_those_there_are(tmp_path):
    with pytest.raises(MaskError, match='no category cow of .*cat, dog'):
        source(tmp_path, annotation(), categories=['cow'])


def test_image_of_another_size_names_both(tmp_path):
    with pytest.raises(
        MaskSizeError, match=r"'a.jpg': .*\(4, 6\).*image \(6, 4"
    ) as caught:
        source(tmp_path, annotation())(sample(tmp_path, shape=SHAPE[::-1]))
    assert caught.value.size == SHAPE  # the loader knows of images on their side


@pytest.mark.parametrize(
    'wrong,message',
    [
        (dict(use='box'), "`use`.*segmentation.*bbox.*'box'"),
        (dict(crowd='drop'), "`crowd`.*ignore.*causal.*skip.*'drop'"),
        (dict(objects='any'), '`objects`'),
    ],
)
def test_wrong_option_names_argument_and_what_came(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        source(tmp_path, annotation(), **wrong)
