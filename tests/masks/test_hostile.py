"""Malicious annotation files: no code is run, no URL fetched, no link followed.

Archives and XML are in io/test_archive.py, test_cvat.py and test_voc.py,
decompression bombs in test_png.py, checkpoints in test_safe_loading.py.
"""

import json
import pickle
import resource
import socket

import h5py
import numpy as np
import pytest
from unbroken import unbroken

from cfcn_plugin.masks import COCOMasks, LabelStudioMasks, MaskError, MatMasks
from cfcn_plugin.masks.errors import LONGEST


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return exec, (f'open({str(self.file)!r}, "w")',)


def test_a_pickle_in_place_of_any_file_is_not_opened(tmp_path, any_format):
    with pytest.raises(MaskError):
        any_format.read(tmp_path, pickle.dumps(Touch(tmp_path / 'ran')))
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('kind', ['boxes in CSV', 'YOLO', 'CUB boxes', 'CVAT labels'])
def test_text_is_not_evaluated(tmp_path, formats, kind):
    code = f'open({str(tmp_path / "ran")!r},"w")'.replace(' ', '')
    text = formats[kind].content
    number = next(word for word in ('2', '0.5', '3.0', '1,1,1') if word in text)
    with pytest.raises(MaskError):
        formats[kind].read(tmp_path, text.replace(number, code).encode())
    assert not (tmp_path / 'ran').exists()


def test_addresses_in_a_file_are_not_fetched(tmp_path, formats, monkeypatch):
    def refuse(*_):
        raise AssertionError('the network was asked')

    monkeypatch.setattr(socket.socket, 'connect', refuse)
    monkeypatch.setattr(socket, 'getaddrinfo', refuse)
    studio = [
        dict(
            formats['Label Studio'].content[0],
            data=dict(image='http://127.0.0.1:9/x/a.jpg'),
        )
    ]
    coco = formats['COCO'].content
    assert coco['images'][0]['coco_url'].startswith('http://')
    (tmp_path / 'coco.json').write_text(json.dumps(coco))
    (tmp_path / 'studio.json').write_text(json.dumps(studio))
    sample = dict(img_path=str(tmp_path / 'a.jpg'), ori_shape=(4, 6))
    for source in (
        COCOMasks('coco.json', str(tmp_path)),
        LabelStudioMasks(
            'studio.json', data_root=str(tmp_path), prefix='http://127.0.0.1:9/x/'
        ),
    ):
        assert source(sample).mask.any()


# ---- what claims or unpacks to more than memory has ------------------------


@pytest.mark.parametrize(
    'size,counts,text',
    [
        ([10**6, 10**6], [10**12], "'size'.*32 bits of pixels at most"),
        ([65535, 65535], [65535**2], r'RLE of size \[65535, 65535\], expected its'),
        ([4, 6], [10**400], 'expected an RLE with .counts.'),
        ([4, 6], 'o' * 10**6, 'expected an RLE with .counts.'),
    ],
    ids=[
        'a terabyte',
        'four gigabytes',
        'a count of 400 digits',
        'a count without end',
    ],
)
def test_run_lengths_that_claim_too_much(tmp_path, formats, size, counts, text):
    coco = formats['COCO'].content
    one = dict(coco['annotations'][1], segmentation=dict(size=size, counts=counts))
    content = dict(coco, annotations=[one])
    (tmp_path / 'x.json').write_text(json.dumps(content))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MaskError, match=text):
        unbroken(COCOMasks('x.json', str(tmp_path)))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 200 * 1024


@pytest.mark.parametrize('kind', ['COCO', 'LabelMe', 'Label Studio', 'boxes', 'points'])
@pytest.mark.parametrize(
    'text',
    ['[' * 10**6, '{"a":' * 10**5, '[1' + '0' * 10**5 + ']'],
    ids=['lists in lists', 'objects in objects', 'a long number'],
)
def test_json_that_is_too_deep_or_too_long(tmp_path, formats, kind, text):
    with pytest.raises(MaskError, match='not JSON in UTF-8') as caught:
        formats[kind].read(tmp_path, text.encode())
    assert len(str(caught.value)) <= LONGEST


# ---- HDF5 that points elsewhere --------------------------------------------


def hdf5(root, how):
    """A file whose mask is kept as `how` says; `secret.mat` is another file."""
    with h5py.File(root / 'secret.mat', 'w') as other:
        other['cjdata/tumorMask'] = np.ones((6, 4), np.uint8)
    (root / 'raw').write_bytes(b'\1' * 24)
    layout = h5py.VirtualLayout((6, 4), np.uint8)
    layout[:] = h5py.VirtualSource(str(root / 'secret.mat'), 'cjdata/tumorMask', (6, 4))
    with h5py.File(root / 'a.mat', 'w') as content:
        if how == 'linked file':
            content['cjdata'] = h5py.ExternalLink(str(root / 'secret.mat'), 'cjdata')
        elif how == 'linked field':
            content['cjdata/tumorMask'] = h5py.ExternalLink(
                str(root / 'secret.mat'), 'cjdata/tumorMask'
            )
        elif how == 'soft link':
            content['far'] = h5py.ExternalLink(str(root / 'secret.mat'), '/')
            content['cjdata/tumorMask'] = h5py.SoftLink('/far/cjdata/tumorMask')
        elif how == 'virtual':
            content.create_virtual_dataset('cjdata/tumorMask', layout)
        elif how == 'raw file':
            content.create_dataset(
                'cjdata/tumorMask',
                (6, 4),
                np.uint8,
                external=[(str(root / 'raw'), 0, 24)],
            )


@pytest.mark.parametrize(
    'how', ['linked file', 'linked field', 'soft link', 'virtual', 'raw file']
)
def test_hdf5_is_not_followed_to_another_file(tmp_path, how):
    hdf5(tmp_path, how)
    sample = dict(img_path=str(tmp_path / 'a.jpg'), ori_shape=(4, 6))
    with pytest.raises(MaskError, match="a.mat': 'cjdata/tumorMask' is kept in"):
        MatMasks('', '', str(tmp_path))(sample)


def test_slices_of_a_data_set_are_not_followed_either(tmp_path):
    from cfcn_plugin.data.public.brain_mri import export_brain_mri

    source = tmp_path / 'published'
    source.mkdir()
    with h5py.File(source / '1.mat', 'w') as content:
        content['cjdata/image'] = h5py.ExternalLink('/etc/hostname', 'x')
    with pytest.raises(MaskError, match="1.mat': 'cjdata/image' is kept in another"):
        export_brain_mri(source, tmp_path / 'out')
    with h5py.File(source / '1.mat', 'w') as content:
        content.create_dataset('cjdata/image', (2**20, 2**20), np.uint8, chunks=True)
    with pytest.raises(ValueError, match="1.mat': 'cjdata/image' has 1099511627776 "):
        export_brain_mri(source, tmp_path / 'out')
