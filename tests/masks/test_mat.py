"""Cheng's MATLAB files in the layout of MATLAB v7.3."""

import sys

import h5py
import numpy as np
import pytest
from mmpretrain.registry import TASK_UTILS

from cfcn_plugin.masks import MaskError, MaskSizeError, MatMasks

# as MATLAB shows it: 3 rows, 5 columns
TUMOUR = np.array([[0, 1, 1, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]], np.uint8)


def write(path, mask=TUMOUR, **fields):
    """A `cjdata` struct. HDF5 is row-major and MATLAB column-major: (W, H)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, 'w', userblock_size=512) as content:
        data = content.create_group('cjdata')
        data.create_dataset('image', data=np.full(mask.T.shape, 90, np.int16))
        data.create_dataset('label', data=[[2.0]])
        data.create_dataset('PID', data=np.frombuffer(b'100360', np.uint8)[:, None])
        data.create_dataset('tumorBorder', data=[[1.0, 2.0, 3.0, 4.0]])
        data.create_dataset('tumorMask', data=mask.T)
        for name, value in fields.items():
            data.create_dataset(name, data=value)
    with path.open('r+b') as stream:
        stream.write(b'MATLAB 7.3 MAT-file, Platform: PCWIN64'.ljust(512))
    return path


def sample(root, name='7', shape=TUMOUR.shape):
    return dict(img_path=str(root / 'images' / f'{name}.png'), ori_shape=shape)


def source(root, **kwargs):
    return MatMasks('mat', 'images', data_root=str(root), **kwargs)


def test_mask_lies_as_matlab_shows_it(tmp_path):
    path = write(tmp_path / 'mat' / '7.mat')
    record = source(tmp_path)(sample(tmp_path))
    np.testing.assert_array_equal(record.mask, TUMOUR)
    assert record.mask.dtype == np.uint8 and record.file == str(path)


def test_images_that_were_not_turned_have_masks_that_are_not(tmp_path):
    write(tmp_path / 'mat' / '7.mat')
    record = source(tmp_path, upright=False)(sample(tmp_path, shape=TUMOUR.T.shape))
    np.testing.assert_array_equal(record.mask, TUMOUR.T)


@pytest.mark.parametrize('dtype', [bool, np.uint8, np.float64])
def test_numbers_of_every_type(tmp_path, dtype):
    write(tmp_path / 'mat' / '7.mat', TUMOUR.astype(dtype))
    np.testing.assert_array_equal(source(tmp_path)(sample(tmp_path)).mask, TUMOUR)


def test_other_field(tmp_path):
    write(tmp_path / 'mat' / '7.mat', edema=1 - TUMOUR.T)
    record = source(tmp_path, field='cjdata/edema')(sample(tmp_path))
    np.testing.assert_array_equal(record.mask, 1 - TUMOUR)


def test_config_keys_and_check(tmp_path):
    write(tmp_path / 'mat' / '7.mat')
    (tmp_path / 'images').mkdir()
    built = TASK_UTILS.build(
        dict(type='MatMasks', masks='mat', images='images', data_root=str(tmp_path))
    )
    assert built.keys() == ['images/7'] and built(sample(tmp_path, '8')) is None
    with pytest.raises(MaskError, match="'images/7'"):
        built.check()
    (tmp_path / 'images' / '7.png').write_bytes(b'')
    built.check()


def old_matlab(path):
    path.write_bytes(b'MATLAB 5.0 MAT-file, Platform: PCWIN64'.ljust(200))


def half(path):
    path.write_bytes(write(path).read_bytes()[:1500])


BAD = {
    'older MATLAB': (old_matlab, "older MATLAB file, save it with .*'-v7.3'"),
    'zero bytes': (lambda path: path.write_bytes(b''), 'not a MATLAB v7.3.*whole'),
    'half': (half, 'cannot be read as a MATLAB v7.3 file .*is it whole'),
    'not binary': (
        lambda path: write(path, TUMOUR * 2),
        r"tumorMask' .* not binary: expected 0 and 1, got \[0, 2\]",
    ),
    'NaN': (lambda path: write(path, TUMOUR * np.nan), 'not binary.*nan'),
    'another size': (
        lambda path: write(path, TUMOUR.T),
        r'height and width \(5, 3\), its image \(3, 5\)',
    ),
}


@pytest.mark.parametrize('kind', BAD)
def test_bad_file_names_file_expectation_and_remedy(tmp_path, kind):
    make, text = BAD[kind]
    path = tmp_path / 'mat' / '7.mat'
    path.parent.mkdir()
    make(path)
    with pytest.raises(MaskError, match=text) as caught:
        source(tmp_path)(sample(tmp_path))
    assert f"'{path}'" in str(caught.value)
    assert isinstance(caught.value, MaskSizeError) == (kind == 'another size')


@pytest.mark.parametrize('field', ['cjdata/tumourMask', 'cjdata', 'gone/mask'])
def test_missing_field_shows_those_there_are(tmp_path, field):
    write(tmp_path / 'mat' / '7.mat')
    with pytest.raises(MaskError, match=f"'{field}'.*'cjdata/tumorMask'.*`field`"):
        source(tmp_path, field=field)(sample(tmp_path))


def test_missing_h5py_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'h5py', None)
    with pytest.raises(ImportError, match=r'MatMasks .*cfcn_plugin\[masks\]'):
        source(tmp_path)
