"""Whatever a table or a published file holds, it is read, or an error names it.

`make fuzz` looks for longer.
"""

import gzip
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfcn_plugin.data.public.brain_mri import export_brain_mri
from cfcn_plugin.data.public.mnist import export_mnist
from cfcn_plugin.data.public.waterbirds import list_waterbirds
from cfcn_plugin.mm.datasets import CSVDataset

PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [
            b'\0',
            b'\xff',
            b'"',
            b'\r',
            b'\n',
            b',',
            b',,,,,,',
            b'9' * 200_000,
            b'',
            b'-1',
            b'nan',
            b'../a.jpg',
            b'\xef\xbb\xbf',
        ]
    ),
)


@st.composite
def mutants(draw, data):
    """A file's bytes with some pieces exchanged, or anything."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=200))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        stop = start + draw(st.sampled_from([0, 1, 4, 20, len(data)]))
        data = data[:start] + draw(PIECES) + data[stop:]
    return data


@pytest.fixture
def holds(tmp_path):
    """Read a file of many contents: each is read, or an error names the file."""

    def check(file, data, read, write=None):

        @given(mutants(data))
        def try_one(content):
            (write or file.write_bytes)(content)
            try:
                read()
            except (ValueError, FileNotFoundError) as error:
                assert file.name in str(error), error

        try_one()

    return check


def test_csv_dataset(tmp_path, holds):
    file = tmp_path / 'labels.csv'

    def read():
        data = CSVDataset(
            ann_file='labels.csv',
            data_root=str(tmp_path),
            classes=['cat', 'dog'],
            split='train',
            group=['place'],
            serialize_data=False,
        )
        for i in range(len(data)):
            assert data.get_data_info(i)['gt_label'] in (0, 1)

    holds(
        file,
        b'filename,label,split,place\na.jpg,cat,train,land\n'
        b'b.jpg,dog,train,sea\nc.jpg,dog,test,sea\n',
        read,
    )


def test_waterbirds_metadata(waterbirds_source, holds):
    root = waterbirds_source / 'waterbirds100'
    file = root / 'metadata.csv'

    def read():
        (root / 'labels.csv').unlink(missing_ok=True)
        list_waterbirds(root, waterbirds_source / 'CUB_200_2011')

    holds(file, file.read_bytes(), read)


@pytest.mark.parametrize('packed', [True, False])
def test_mnist_idx(mnist_source, tmp_path, holds, packed):
    source = tmp_path / 'in'
    shutil.copytree(mnist_source, source, ignore=shutil.ignore_patterns('train*'))
    file = source / 't10k-labels-idx1-ubyte.gz'
    data = file.read_bytes() if packed else gzip.decompress(file.read_bytes())

    def read():
        shutil.rmtree(tmp_path / 'out', ignore_errors=True)
        export_mnist(source, tmp_path / 'out')

    holds(
        file,
        data,
        read,
        None if packed else lambda content: file.write_bytes(gzip.compress(content)),
    )


def test_brain_mri_matlab(brain_mri_source, tmp_path, holds):
    source = tmp_path / 'in'
    source.mkdir()
    file = source / '3.mat'
    data = next(brain_mri_source.rglob('3.mat')).read_bytes()

    def read():
        shutil.rmtree(tmp_path / 'out', ignore_errors=True)
        export_brain_mri(source, tmp_path / 'out')

    holds(file, data, read)
