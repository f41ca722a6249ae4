"""Label Studio exports: names of images, regions, several annotators, wrong files."""

import json

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS
from unbroken import unbroken

from cfcn_plugin.masks import LabelStudioMasks, MaskError, MaskSizeError
from cfcn_plugin.masks.io.shapes import fill_polygon

SHAPE = (10, 20)
UPLOAD = '/data/upload/3/0a1b2c3d-a.jpg'


def region(kind='rectanglelabels', labels=('cow',), size=SHAPE, **value):
    if not value:
        value = dict(x=10, y=20, width=50, height=30, rotation=0)  # 2 to 12, 2 to 5
    if labels is not None:
        value[kind] = list(labels)
    return dict(
        id='r1',
        type=kind,
        from_name='label',
        to_name='image',
        value=value,
        original_height=size[0],
        original_width=size[1],
        image_rotation=0,
    )


def task(*results, image=UPLOAD, **fields):
    return dict(
        id=1,
        data=dict(image=image),
        annotations=[annotation(*results)],
        predictions=[],
        **fields,
    )


def annotation(*results, cancelled=False, truth=False):
    return dict(id=7, result=list(results), was_cancelled=cancelled, ground_truth=truth)


def write(root, *tasks):
    (root / 'ls.json').write_text(json.dumps(tasks))
    return root / 'ls.json'


def source(root, *tasks, **kwargs):
    write(root, *tasks)
    return LabelStudioMasks(
        'ls.json', **{'images': 'images', **kwargs}, data_root=str(root)
    )


def sample(root, name='images/a.jpg', shape=SHAPE):
    return dict(img_path=str(root / name), ori_shape=shape)


def read(root, *results, **kwargs):
    return source(root, task(*results), **kwargs)(sample(root))


def box(x0, y0, x1, y1):
    mask = np.zeros(SHAPE, np.uint8)
    mask[y0:y1, x0:x1] = 1
    return mask


def brush(mask):
    """One run a value, as plain as the format allows."""
    values = np.repeat(mask.ravel() * 255, 4)
    text = f'{values.size:032b}{7:05b}' + '0000' * 4
    text += ''.join(f'1000{value:08b}' for value in values)
    text += '0' * (-len(text) % 8)
    return [int(text[i : i + 8], 2) for i in range(0, len(text), 8)]


# ---- regions ---------------------------------------------------------------


def test_rectangle_in_percent(tmp_path):
    record = read(tmp_path, region())
    np.testing.assert_array_equal(record.mask, box(2, 2, 12, 5))
    assert record.mask.dtype == np.uint8
    assert record.file == f"{tmp_path / 'ls.json'}', 'images/a.jpg"


def test_rectangle_turns_clockwise_about_its_corner_in_pixels(tmp_path):
    # from (10, 2), 6 pixels right and 2 down; a quarter turn: 2 left and 6 down
    record = read(tmp_path, region(x=50, y=20, width=30, height=20, rotation=90))
    np.testing.assert_array_equal(record.mask, box(8, 2, 10, 8))


def test_polygon_in_percent(tmp_path):
    points = [[10, 10], [60, 10], [30, 80]]
    record = read(tmp_path, region('polygonlabels', points=points))
    np.testing.assert_array_equal(
        record.mask, fill_polygon([[2, 1], [12, 1], [6, 8]], SHAPE)
    )


def test_brush(tmp_path):
    mask = box(3, 1, 9, 7)
    record = read(tmp_path, region('brushlabels', format='rle', rle=brush(mask)))
    np.testing.assert_array_equal(record.mask, mask)


@pytest.mark.parametrize(
    'kind,labels', [('ellipselabels', ('cow',)), ('ellipse', None)]
)
def test_ellipse_turns_about_its_centre(tmp_path, kind, labels):
    # centre (10, 5), 4 pixels to the right and 1 down; after a quarter turn, 1 and 4
    ellipse = dict(x=50, y=50, radiusX=20, radiusY=10)
    mask = read(tmp_path, region(kind, labels, **ellipse)).mask
    x, y = np.arange(20) + 0.5 - 10, np.arange(10)[:, None] + 0.5 - 5
    np.testing.assert_array_equal(mask, (x / 4) ** 2 + y**2 <= 1)
    mask = read(tmp_path, region(kind, labels, rotation=90, **ellipse)).mask
    np.testing.assert_array_equal(mask, x**2 + (y / 4) ** 2 <= 1)


def test_label_may_be_in_a_result_of_its_own(tmp_path):
    bare, named = region('rectangle', None), region('labels')
    np.testing.assert_array_equal(read(tmp_path, bare, named).mask, box(2, 2, 12, 5))
    np.testing.assert_array_equal(read(tmp_path, bare).mask, box(2, 2, 12, 5))
    assert not source(
        tmp_path,
        task({**bare, 'id': 'r2'}),
        task(region(), image='b'),
        categories=['cow'],
    )(sample(tmp_path)).mask.any()


def test_label_that_happens_not_to_occur_may_be_named(tmp_path):
    record = read(tmp_path, region(), categories=['cow', 'rare'], ignore=['haze'])
    np.testing.assert_array_equal(record.mask, box(2, 2, 12, 5))


def test_results_that_draw_nothing_are_passed_over(tmp_path):
    choice = dict(type='choices', value=dict(choices=['good']))
    relation = dict(type='relation', from_id='a', to_id='b')
    record = read(tmp_path, choice, region(), relation)
    np.testing.assert_array_equal(record.mask, box(2, 2, 12, 5))


def test_labels_are_categories_and_what_is_ignored(tmp_path):
    low = dict(x=0, y=50, width=10, height=10)  # 0 to 2, row 5
    results = (region(), region(labels=['dog', 'haze'], **low), region(labels=['sky']))
    record = read(
        tmp_path,
        *results,
        objects='per_class',
        ignore=['haze'],
        classes=dict(cow=1, dog=0),
    )
    assert record.classes.tolist() == [0, 1]
    np.testing.assert_array_equal(record.mask, [box(0, 5, 2, 6), box(2, 2, 12, 5)])
    np.testing.assert_array_equal(record.ignore, box(0, 5, 2, 6))


# ---- what is not asked for -------------------------------------------------


def key_point(kind='keypointlabels', labels=('prompt',), name='k'):
    point = region(kind, labels, x=30, y=30, width=0.4)
    return {**point, 'id': name}


@pytest.mark.parametrize('choice', [{}, dict(categories=['cow'])])
@pytest.mark.parametrize(
    'points',
    [
        [key_point()],
        [key_point('keypoint', None)],
        [key_point('keypoint', None), key_point('labels')],
    ],
)
def test_key_points_are_left_out_and_counted(tmp_path, caplog, points, choice):
    record = read(tmp_path, *points, region(), **choice)
    np.testing.assert_array_equal(record.mask, box(2, 2, 12, 5))
    assert f"{tmp_path / 'ls.json'}': 1 key points are left out" in caplog.text


def test_label_of_key_points_alone_is_no_category(tmp_path):
    with pytest.raises(MaskError, match='no category prompt .*, there are cow'):
        read(tmp_path, key_point(), region(), categories=['prompt'])


def test_spans_of_text_are_passed_over(tmp_path):
    span = dict(
        id='t',
        type='labels',
        to_name='text',
        value=dict(start=0, end=4, text='cows', labels=['word']),
    )
    np.testing.assert_array_equal(read(tmp_path, span, region()).mask, box(2, 2, 12, 5))


def test_region_of_a_label_that_is_not_asked_for_is_not_read(tmp_path):
    broken = region(labels=['dog'], x=1, y=1, width=0, height=5)
    made = source(tmp_path, task(region(), broken), categories=['cow'])
    assert not made.broken()
    np.testing.assert_array_equal(made(sample(tmp_path)).mask, box(2, 2, 12, 5))


def test_broken_task_is_the_error_of_its_image_alone(tmp_path):
    broken = task(region(x=1, y=1, width=0, height=5), image='b.jpg')
    made = source(tmp_path, task(region()), broken)
    np.testing.assert_array_equal(made(sample(tmp_path)).mask, box(2, 2, 12, 5))
    with pytest.raises(MaskError, match="'images/b.jpg', task 1, result 0: width 0.0"):
        made(sample(tmp_path, 'images/b.jpg'))
    ((key, _),) = made.broken()
    assert key == 'images/b.jpg'


def test_area_without_a_label_is_not_dropped(tmp_path):
    bitmap = region('bitmask', None, imageDataURL='data:')
    with pytest.raises(MaskError, match='result 0: .*imageDataURL'):
        read(tmp_path, bitmap)


# ---- several images --------------------------------------------------------


def side(name, **value):
    return {**region(**value), 'to_name': f'img-{name}', 'from_name': f'label-{name}'}


LEFT, RIGHT = dict(x=0, y=0, width=20, height=20), dict(x=60, y=60, width=40, height=40)


def left_and_right(*results):
    data = dict(
        left='/data/upload/1/1a2b3c4d-left.png',
        id='3',
        note='a. b',
        right='/data/upload/1/5e6f7a8b-right.png',
    )
    return dict(task(*results), data=data)


def test_tag_chooses_the_regions_of_one_of_two_images(tmp_path):
    both = left_and_right(side('left', **LEFT), side('right', **RIGHT))
    for name, mask in (('left', box(0, 0, 4, 2)), ('right', box(12, 6, 20, 10))):
        made = source(tmp_path, both, image=name, to_name=f'img-{name}')
        np.testing.assert_array_equal(
            made(sample(tmp_path, f'images/{name}.png')).mask, mask
        )


def test_two_images_without_a_tag_are_refused(tmp_path):
    both = left_and_right(side('left', **LEFT), side('right', **RIGHT))
    with pytest.raises(MaskError, match=r"\['img-left', 'img-right'\]: .*`to_name`"):
        source(tmp_path, both, image='left')
    # regions of one image alone may be those of the other
    with pytest.raises(MaskError, match=r"\['left', 'right'\].*\['img-right'\]"):
        source(tmp_path, left_and_right(side('right', **RIGHT)), image='left')
    with pytest.raises(MaskError, match=r"to_name='img', there are \['img-left', "):
        source(tmp_path, both, image='left', to_name='img')


@pytest.mark.parametrize(
    'other',
    [
        '/data/local-files/?d=b.png',
        's3://x/b.tif?versionId=1',
        'https://x/get?file=b.png',
        ['c.png', 'd.gif'],
        [dict(url='b.png')],
    ],
)
def test_image_of_another_field_is_seen_in_each_form(tmp_path, other):
    data = dict(image='/data/local-files/?d=a.png', right=other)
    with pytest.raises(MaskError, match=r"fields \['image', 'right'\].*`to_name`"):
        source(tmp_path, dict(task({**region(), 'to_name': 'img'}), data=data))


@pytest.mark.parametrize(
    'same',
    ['a.png', 'https://x/a.png?t=1', ['C:\\x\\a.png'], 'http://[', 'text about b'],
)
def test_field_without_another_image_needs_no_tag(tmp_path, same):
    data = dict(image='/data/local-files/?d=a.png', more=same)
    made = source(tmp_path, dict(task({**region(), 'to_name': 'img'}), data=data))
    assert made(sample(tmp_path, 'images/a.png')).mask.any()


def test_tag_with_the_name_of_its_field_is_clear(tmp_path):
    other = dict(task(region()), data=dict(image=UPLOAD, reference='s3://x/b.jpg'))
    made = source(tmp_path, other)
    np.testing.assert_array_equal(made(sample(tmp_path)).mask, box(2, 2, 12, 5))


def test_list_of_images_has_the_regions_of_each(tmp_path):
    pages = dict(
        task({**region(), 'item_index': 1}, region(**LEFT)),
        data=dict(image=['a.jpg', 'b.jpg', 'c.jpg']),
    )
    made = source(tmp_path, pages)
    masks = [made(sample(tmp_path, f'images/{name}.jpg')).mask for name in 'abc']
    np.testing.assert_array_equal(
        masks, [box(0, 0, 4, 2), box(2, 2, 12, 5), box(0, 0, 0, 0)]
    )


# ---- which image ---------------------------------------------------------


def test_only_the_hash_of_an_upload_is_no_part_of_the_name(tmp_path):
    made = source(tmp_path, task(region(), image='/data/upload/photo-01.jpg'))
    assert made.keys() == ['images/photo-01.jpg']


def test_url_that_is_none_is_named(tmp_path):
    with pytest.raises(MaskError, match="task 0: image 'http://.x/a.jpg' is no path"):
        source(tmp_path, task(region(), image='http://[x/a.jpg'))


@pytest.mark.parametrize(
    'image,prefix',
    [
        (UPLOAD, ''),
        ('/data/upload/3/0a1b2c3d-sub%20dir.jpg', ''),
        ('/data/local-files/?d=deep/a.jpg', ''),
        ('/data/local-files/?d=project/deep/a%20b.jpg', 'project/'),
        ('s3://bucket/x/deep/a.jpg', 's3://bucket/x/'),
        ('https://host/x/a.jpg', 'https://host/x/'),
        ('a.jpg', ''),
    ],
)
def test_task_s_image_is_a_path_below_images(tmp_path, image, prefix):
    name = {UPLOAD: 'a.jpg'}.get(image) or image.replace('%20', ' ').split(
        '3d-' if 'upload' in image else prefix or '?d='
    )[-1]
    masks = source(tmp_path, task(region(), image=image), prefix=prefix)
    assert masks.keys() == [f'images/{name}']
    assert masks(sample(tmp_path, f'images/{name}')) is not None
    assert masks(sample(tmp_path, 'images/other.jpg')) is None


def test_config_builds_the_source_and_check_compares(tmp_path):
    write(tmp_path, dict(task(region()), data=dict(photo=UPLOAD)))
    built = TASK_UTILS.build(
        dict(
            type='LabelStudioMasks',
            ann_file='ls.json',
            data_root=str(tmp_path),
            image='photo',
        )
    )
    with pytest.raises(MaskError, match="1 image names of .*'a.jpg'"):
        built.check()
    (tmp_path / 'a.jpg').write_bytes(b'')
    built.check()


def test_tasks_that_nobody_annotated_have_no_mask(tmp_path):
    skipped = dict(task(image='b.jpg'), annotations=[annotation(cancelled=True)])
    masks = source(
        tmp_path,
        task(region()),
        skipped,
        dict(task(image='c.jpg'), annotations=[]),
        task(image='d.jpg'),
    )
    assert masks.keys() == ['images/a.jpg', 'images/d.jpg']
    assert masks(sample(tmp_path, 'images/b.jpg')) is None
    assert not masks(sample(tmp_path, 'images/d.jpg')).mask.any()


def test_ground_truth_wins_and_several_may_be_united(tmp_path):
    other = region(x=0, y=90, width=10, height=10)
    both = dict(task(), annotations=[annotation(region()), annotation(other)])
    united = source(tmp_path, both, several='union')(sample(tmp_path)).mask
    np.testing.assert_array_equal(united, box(2, 2, 12, 5) | box(0, 9, 2, 10))
    both['annotations'][1]['ground_truth'] = True
    mask = source(tmp_path, both)(sample(tmp_path)).mask
    np.testing.assert_array_equal(mask, box(0, 9, 2, 10))


# ---- what is wrong ---------------------------------------------------------

BAD = {
    'JSON-MIN': ([dict(image=UPLOAD, label=[])], 'task 0: .*`annotations`.*as "JSON"'),
    'no task': ([], 'no task with an annotation'),
    'task that is none': ([3], 'task 0: expected an object'),
    'annotation that is none': ([dict(task(), annotations=[3])], 'task 0: expected'),
    'no image': ([dict(task(), data=dict(text='a'))], r"data\['image'\].*`image`"),
    'url without prefix': (
        [task(region(), image='s3://bucket/a.jpg')],
        "image 's3://bucket/a.jpg' does not begin.*`prefix`",
    ),
    'leaves the root': ([task(region(), image='../a.jpg')], r"has '\.\.'"),
    'absolute': (
        [task(region(), image='/data/local-files/?d=/etc/a.jpg')],
        "'/etc/a.jpg' is absolute",
    ),
    'two tasks': ([task(region()), task(region())], "'images/a.jpg' has two tasks"),
    'two annotators': (
        [dict(task(), annotations=[annotation(), annotation()])],
        "2 annotations, expected one: .*several='union'",
    ),
    'no result': ([dict(task(), annotations=[dict(result=None)])], 'a list `result`'),
    'no label': ([task(region(labels=()))], 'result 0: expected a label in `rect'),
    'label that is no text': ([task(region(labels=[['cow']]))], 'expected a label in'),
    'rle that is a number': (
        [task(region('brushlabels', rle=10**12))],
        'list of bytes as `rle`',
    ),
    'turned by NaN': (
        [task(region(x=1, y=1, width=9, height=9, rotation=float('nan')))],
        'finite number, got nan',
    ),
    'no size': ([task(region(size=(None, 20)))], 'original_height and original_width'),
    'turned': ([task({**region(), 'image_rotation': 90})], 'turned by 90 degrees'),
    'rle that is no bytes': (
        [task(region('brushlabels', rle=[300]))],
        'list of bytes as `rle`',
    ),
    'bitmap': (
        [task(region('bitmasklabels', imageDataURL='data:'))],
        r'a brush \(`rle`\), a polygon .*imageDataURL',
    ),
    'flat ellipse': (
        [task(region('ellipselabels', x=1, y=1, radiusX=0, radiusY=3))],
        'radiusX 0.0 and .* have no inside',
    ),
    'NaN ellipse': (
        [task(region('ellipselabels', x=float('nan'), y=1, radiusX=1, radiusY=3))],
        'finite number, got nan',
    ),
    'item of no list': (
        [task({**region(), 'item_index': 1})],
        'item_index 1 of a region, and the task has 1 images',
    ),
    'flat rectangle': ([task(region(x=1, y=1, width=0, height=5))], 'have no inside'),
    'NaN rectangle': (
        [task(region(x=float('nan'), y=1, width=5, height=5))],
        'finite number, got nan',
    ),
    'two corners': (
        [task(region('polygonlabels', points=[[1, 1], [2, 2]]))],
        'at least 3 points, got 2',
    ),
    'unknown label': (
        [task(region(labels=['dog']))],
        'no category cow of `categories`, there are dog',
    ),
    'other case': ([task(region(labels=['COW']))], "category 'COW' is not 'cow'"),
}


@pytest.mark.parametrize('kind', BAD)
def test_bad_export_names_task_expectation_and_remedy(tmp_path, kind):
    tasks, text = BAD[kind]
    with pytest.raises(MaskError, match=text) as caught:
        unbroken(source(tmp_path, *tasks, categories=['cow']))
    assert f"'{tmp_path / 'ls.json'}'" in str(caught.value)


def test_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="ls.json' does not exist"):
        LabelStudioMasks('ls.json', data_root=str(tmp_path))
    (tmp_path / 'ls.json').write_text('[{')
    with pytest.raises(MaskError, match='ls.json.* not JSON'):
        LabelStudioMasks('ls.json', data_root=str(tmp_path))


@pytest.mark.parametrize(
    'results,error,text',
    [
        ([region(size=(20, 10))], MaskSizeError, r'\(20, 10\), its image \(10, 20\)'),
        (
            [region(x=110, y=1, width=5, height=5)],
            MaskError,
            'outside the image of 20 x',
        ),
        (
            [region('ellipselabels', x=110, y=1, radiusX=9, radiusY=5)],
            MaskError,
            'outside the image of 20 x',
        ),
        ([region('brushlabels', rle=[0, 0, 3, 32, 57])], MaskError, 'malformed run'),
    ],
)
def test_region_that_does_not_fit_its_image(tmp_path, results, error, text):
    with pytest.raises(error, match=text) as caught:
        read(tmp_path, *results)
    assert str(tmp_path / 'ls.json') in str(caught.value)


def test_wrong_option_is_refused():
    with pytest.raises(ValueError, match="`several`.*'error', 'union'.*'first'"):
        LabelStudioMasks('ls.json', several='first')


@pytest.mark.parametrize(
    'value,message',
    [
        (
            dict(x=30, y=40, width=120, height=50),
            'percent .* to 150.* are the numbers pix',
        ),
        (dict(x=0.1, y=0.1, width=0.8, height=0.8), 'look like fractions: multiply'),
        (dict(x=50, y=50, width=900, height=9, rotation=10), 'are the numbers pixels'),
    ],
)
def test_pixels_and_fractions_are_no_percent(tmp_path, value, message):
    with pytest.raises(MaskError, match=message):
        read(tmp_path, region(**value))


def test_turned_rectangle_may_be_wider_than_the_image_before_the_turn(tmp_path):
    tall = (20, 4)
    made = source(
        tmp_path, task(region(size=tall, x=75, y=10, width=400, height=10, rotation=90))
    )
    mask = np.zeros(tall, np.uint8)
    mask[2:18, 1:3] = 1
    np.testing.assert_array_equal(made(sample(tmp_path, shape=tall)).mask, mask)
