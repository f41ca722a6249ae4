"""MNIST out of IDX files: strokes are masks, the publisher's split if there is one."""

import csv
import gzip
import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.data.public.mnist import export_mnist


def rows(root):
    with (root / 'labels.csv').open(newline='') as stream:
        return list(csv.DictReader(stream))


def without_training(source, target):
    return shutil.copytree(source, target, ignore=shutil.ignore_patterns('train*'))


def test_published_split(mnist_source, tmp_path):
    found = rows(export_mnist(mnist_source, tmp_path / 'out'))
    assert Counter(row['split'] for row in found) == dict(train=20, test=10)
    for row in found:
        part = 'train' if row['split'] == 'train' else 't10k'
        number = int(row['filename'].removeprefix(f'images/{part}-')[:-4])
        assert row['label'] == str(number % 10)


def test_every_fifth_of_the_test_digits_tests_where_they_are_all(
    mnist_source, tmp_path
):
    found = rows(
        export_mnist(without_training(mnist_source, tmp_path / 'in'), tmp_path / 'out')
    )
    assert [i for i, row in enumerate(found) if row['split'] == 'test'] == [0, 5]
    assert len(found) == 10


def test_mask_is_what_is_not_black(mnist_source, tmp_path):
    root = export_mnist(
        without_training(mnist_source, tmp_path / 'in'), tmp_path / 'out'
    )
    image, mask = (
        np.asarray(Image.open(root / folder / 't10k-00003.png'))
        for folder in ('images', 'masks')
    )
    np.testing.assert_array_equal(mask, np.where(image > 0, 255, 0))
    assert (mask > 0).sum() == 12 * 8


@pytest.mark.parametrize(
    'name,content,message',
    [
        ('t10k-images-idx3-ubyte.gz', None, 'does not exist'),
        ('t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz', '3 dimensions'),
        (
            't10k-labels-idx1-ubyte.gz',
            'train-labels-idx1-ubyte.gz',
            'has 20 labels, and .* beside it 10 images',
        ),
        ('t10k-labels-idx1-ubyte.gz', b'1234', 'no whole gzip file'),
    ],
)
def test_file_that_is_not_as_published_is_refused(
    mnist_source, tmp_path, name, content, message
):
    shutil.copytree(mnist_source, tmp_path / 'in')
    (tmp_path / 'in' / name).unlink()
    if content is not None:
        (tmp_path / 'in' / name).write_bytes(
            content
            if isinstance(content, bytes)
            else (mnist_source / content).read_bytes()
        )
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        export_mnist(tmp_path / 'in', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_file_that_unpacks_to_more_than_mnist_is_cut(tmp_path):
    (tmp_path / 't10k-images-idx3-ubyte.gz').write_bytes(gzip.compress(bytes(2**26)))
    with pytest.raises(ValueError, match='t10k-images.*is no IDX file'):
        export_mnist(tmp_path, tmp_path / 'out')
