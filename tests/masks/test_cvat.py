"""CVAT's "Segmentation mask 1.1": colours by labelmap, from a zip or a folder."""

import zipfile
from io import BytesIO

import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS
from PIL import Image

from cfcn_plugin.masks import CVATMasks, MaskError, MaskSizeError

LABELMAP = """\
# label:color_rgb:parts:actions
background:0,0,0::
cow:250,50,83::
grass:61,61,245:head,tail:eat
void: a, b:255,204,51::
"""
BLACK, COW, GRASS, VOID = (0, 0, 0), (250, 50, 83), (61, 61, 245), (255, 204, 51)
PIXELS = np.array([[BLACK, COW, COW, GRASS], [VOID, COW, GRASS, BLACK]], np.uint8)
SHAPE = PIXELS.shape[:2]
MASK = 'SegmentationClass/deep/a.png'


def png(pixels=PIXELS, mode='RGB'):
    stream = BytesIO()
    image = Image.fromarray(np.asarray(pixels, np.uint8))
    (image.quantize(8) if mode == 'P' else image.convert(mode)).save(stream, 'PNG')
    return stream.getvalue()


def files(**changes):
    return {
        'labelmap.txt': LABELMAP.encode(),
        'ImageSets/Segmentation/default.txt': b'deep/a\n',
        MASK: png(),
        'SegmentationObject/deep/a.png': png(),
        **changes,
    }


def make(root, kind='zip', content=None):
    content = files() if content is None else content
    if kind == 'zip':
        with zipfile.ZipFile(root / 'cvat', 'w', zipfile.ZIP_DEFLATED) as target:
            for name, data in content.items():
                target.writestr(name, data)
        return
    for name, data in content.items():
        path = root / 'cvat' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def sample(root, name='images/deep/a.jpg', shape=SHAPE):
    return dict(img_path=str(root / name), ori_shape=shape)


def source(root, **kwargs):
    return CVATMasks('cvat', 'images', data_root=str(root), **kwargs)


def where(*colours):
    return np.any([(colour == PIXELS).all(-1) for colour in colours], axis=0)


@pytest.mark.parametrize('kind', ['zip', 'folder'])
def test_every_label_but_background_is_causal(tmp_path, kind):
    make(tmp_path, kind)
    record = source(tmp_path)(sample(tmp_path))
    assert record.mask.dtype == np.uint8
    np.testing.assert_array_equal(record.mask, where(COW, GRASS, VOID))
    assert record.file == f"{tmp_path / 'cvat'}', '{MASK}"
    assert source(tmp_path)(sample(tmp_path, 'images/deep/b.jpg')) is None


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P'])
def test_labels_choose_by_colour_in_every_kind_of_file(tmp_path, mode):
    make(tmp_path, content=files(**{MASK: png(mode=mode)}))
    masks = source(tmp_path, categories=['cow'], ignore=['void: a, b'])
    record = masks(sample(tmp_path))
    np.testing.assert_array_equal(record.mask, where(COW))
    np.testing.assert_array_equal(record.ignore, where(VOID))


def test_each_class_has_its_plane(tmp_path):
    make(tmp_path)
    record = source(tmp_path, objects='per_class', classes=dict(grass=0, cow=7))(
        sample(tmp_path)
    )
    assert record.classes.tolist() == [0, 7]
    np.testing.assert_array_equal(record.mask, [where(GRASS), where(COW)])


def test_background_may_be_named(tmp_path):
    make(tmp_path)
    record = source(tmp_path, categories=['background'])(sample(tmp_path))
    np.testing.assert_array_equal(record.mask, where(BLACK))


def test_config_keys_and_check(tmp_path):
    make(tmp_path)
    built = TASK_UTILS.build(
        dict(type='CVATMasks', masks='cvat', images='images', data_root=str(tmp_path))
    )
    assert built.keys() == ['images/deep/a']
    (tmp_path / 'images' / 'deep').mkdir(parents=True)
    (tmp_path / 'images' / 'deep' / 'A.jpg').write_bytes(b'')
    with pytest.raises(MaskError, match="did you mean 'images/deep/A'"):
        built.check()
    (tmp_path / 'images' / 'deep' / 'a.jpg').write_bytes(b'')
    built.check()


# ---- what is wrong ---------------------------------------------------------

WRONG_ARCHIVES = {
    'no labelmap': ({MASK: png()}, "'labelmap.txt': does not exist: .*mask 1.1"),
    'line': (
        files(**{'labelmap.txt': b'cow:1,2,3::\ncow 1 2 3'}),
        "line 2: expected 'label:r,g,b:parts:actions', got 'cow 1 2 3'",
    ),
    'colour': (files(**{'labelmap.txt': b'cow:1,2,256::'}), "line 1: expected 'la"),
    'two numbers': (files(**{'labelmap.txt': b'cow:1,2::'}), "line 1: expected 'la"),
    'one colour': (
        files(**{'labelmap.txt': b'cow:1,2,3::\ndog:1,2,3::'}),
        "line 2: 'dog' has the colour of 'cow'",
    ),
    'not UTF-8': (files(**{'labelmap.txt': b'k\xfch:1,2,3::'}), 'not text in UTF-8'),
    'zip slip': (files(**{'../../a.png': png()}), 'leaves the archive'),
}


@pytest.mark.parametrize('kind', WRONG_ARCHIVES)
def test_wrong_archive_fails_when_the_pipeline_is_built(tmp_path, kind):
    content, text = WRONG_ARCHIVES[kind]
    make(tmp_path, content=content)
    with pytest.raises(MaskError, match=text) as caught:
        source(tmp_path)
    assert str(tmp_path / 'cvat') in str(caught.value)


def test_label_that_the_labelmap_does_not_have_is_told_with_those_it_has(tmp_path):
    make(tmp_path)
    with pytest.raises(MaskError, match="labelmap.txt': no category Cow .*cow"):
        source(tmp_path, categories=['Cow'])


WRONG_MASKS = {
    'colour': (png(PIXELS + 1), r'a colour \[1, 1, 1\] that .labelmap.txt. does'),
    'half': (png()[:60], 'cannot be read.*is it whole'),
    'bomb': (bytes(2**24), 'unpacks from .* to 16777216 bytes.*zip bomb'),
}


@pytest.mark.parametrize('kind', WRONG_MASKS)
def test_wrong_mask_names_archive_and_file(tmp_path, kind):
    data, text = WRONG_MASKS[kind]
    make(tmp_path, content=files(**{MASK: data}))
    with pytest.raises(MaskError, match=text) as caught:
        source(tmp_path)(sample(tmp_path))
    assert str(tmp_path / 'cvat') in str(caught.value) and MASK in str(caught.value)


def test_mask_of_another_size_is_told(tmp_path):
    make(tmp_path)
    with pytest.raises(MaskSizeError, match=r'\(2, 4\), its image \(4, 2\)'):
        source(tmp_path)(sample(tmp_path, shape=(4, 2)))


def test_image_of_another_folder_is_an_error(tmp_path):
    make(tmp_path)
    with pytest.raises(MaskError, match="'photos/a.jpg' is not below images='images'"):
        source(tmp_path)(sample(tmp_path, 'photos/a.jpg'))


def test_other_export_is_told_in_check(tmp_path):
    make(tmp_path, content={'labelmap.txt': LABELMAP.encode()})
    with pytest.raises(MaskError, match="no 'SegmentationClass/.*.png'.*mask 1.1"):
        source(tmp_path).check()
