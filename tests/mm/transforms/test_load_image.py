"""Unreadable images end a run, or are replaced and counted."""

from unittest import mock

import mmcv
import numpy as np
import pytest
from mask_formats import EPS
from mmengine.logging import MMLogger
from mmpretrain.datasets import CustomDataset
from PIL import Image

from cfcn_plugin.mm.transforms import LoadImage


@pytest.fixture
def folder(tmp_path):
    """Three images, of which one is broken, and one is gone."""
    for number in range(4):
        Image.fromarray(np.full((4, 4, 3), number, np.uint8)).save(
            tmp_path / f'{number}.png'
        )
    (tmp_path / '1.png').write_bytes(b'no image')
    return tmp_path


def load(folder, name, **options):
    return LoadImage(**options).transform(dict(img_path=str(folder / name)))


def test_sound_ones_are_what_the_stock_transform_gives(folder):
    assert load(folder, '2.png')['img'].mean() == 2


@pytest.mark.parametrize(
    'name, why', [('1.png', 'cannot be read'), ('gone.png', 'No such file')]
)
def test_broken_one_is_named_and_ends_the_run(folder, name, why):
    with pytest.raises(OSError, match=rf"image '.*{name}' .*{why}.*on_error='anoth"):
        load(folder, name)


def test_another_is_drawn_in_its_place_and_it_is_named_once(folder):
    data = CustomDataset(
        data_root=str(folder),
        with_label=False,
        pipeline=[dict(type='LoadImage', on_error='another')],
    )
    (folder / '3.png').unlink()
    with mock.patch.object(MMLogger, 'warning') as warning:
        for _ in range(3):
            assert {data[i]['img_path'][-5] for i in range(4)} == {'0', '2'}
    said = sorted(call.args[0] for call in warning.call_args_list)
    assert len(said) == 2
    assert f"image '{folder}/1.png' cannot be read" in said[0]
    assert any('(2 in this process so far)' in line for line in said)


def test_all_broken_is_a_wrong_option_and_never_a_search_without_end(tmp_path):
    transform = LoadImage(on_error='another')
    for number in range(31):
        assert transform.transform(dict(img_path=f'{tmp_path}/{number}')) is None
    with pytest.raises(OSError, match='first 32 images cannot be read: .*folder'):
        transform.transform(dict(img_path=f'{tmp_path}/31'))


def test_option_must_be_known():
    with pytest.raises(ValueError, match="`on_error` must be one of .*'skip'"):
        LoadImage(on_error='skip')


def test_an_image_that_an_inferencer_has_loaded_stays(folder):
    image = np.zeros((4, 5, 3), np.uint8)
    assert LoadImage()(dict(img=image))['img'] is image


# ---- images that start a program -------------------------------------------------


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_postscript_is_no_image(tmp_path, ghostscript, backend):
    (tmp_path / 'a.jpg').write_bytes(EPS)
    with pytest.raises(OSError, match="a.jpg' cannot be read"):
        load(tmp_path, 'a.jpg', imdecode_backend=backend)
    assert not ghostscript.exists()


def test_backend_of_the_process_is_held_to_the_formats_as_well(tmp_path, ghostscript):
    (tmp_path / 'a.jpg').write_bytes(EPS)
    mmcv.use_backend('pillow')
    try:
        with pytest.raises(OSError, match="a.jpg' cannot be read"):
            load(tmp_path, 'a.jpg', imdecode_backend=None)
    finally:
        mmcv.use_backend('cv2')
    assert not ghostscript.exists()


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize(
    'files',
    [
        dict(),
        dict(backend_args=dict(backend='local')),
        pytest.param(
            dict(file_client_args=dict(backend='disk')),
            marks=pytest.mark.filterwarnings('ignore'),
        ),
    ],
)
def test_every_way_to_read_a_file_gives_the_same_image(folder, backend, files):
    np.testing.assert_array_equal(
        load(folder, '2.png', imdecode_backend=backend, **files)['img'],
        np.full((4, 4, 3), 2, np.uint8),
    )
