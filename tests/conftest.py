"""Small generated data sets in the layouts that configs read."""

import csv
import gc
import gzip
import os
import runpy
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import EpsImagePlugin, Image

# two workers of pytest-xdist, or more, share the cores
os.environ.setdefault('OMP_NUM_THREADS', '1')
# no test may depend on, or touch, a user's data
os.environ.pop('CFCN_DATA', None)

# the suite's examples are the same each time; `make fuzz` takes more, and others
settings.register_profile(
    'suite',
    derandomize=True,
    database=None,
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    'fuzz',
    settings.get_profile('suite'),
    derandomize=False,
    max_examples=5_000,
    print_blob=True,
)
settings.load_profile('suite')

TOOLS = Path(__file__).parents[1] / 'tools'
sys.path.insert(0, str(TOOLS))  # as Python does for a script
sys.path[:0] = [
    str(Path(__file__).parent / name) for name in ('helpers', 'processes', 'sweeps')
]


gc.disable()  # imports and thousands of tests: nothing of them is garbage


def pytest_collection_finish():
    """Leave what was imported out of garbage collections: each data set makes one."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope='session', autouse=True)
def runs_are_quick_and_apart():
    from quick_runs import quick_runs

    with quick_runs():
        yield


@pytest.fixture(scope='session')
def run_tool():
    """Run a script of tools/ in this process, which saves importing torch anew."""

    def run(tool, *arguments, data=None):
        argv = [str(TOOLS / tool), *map(str, arguments)]
        env = {} if data is None else {'CFCN_DATA': str(data)}
        with (
            mock.patch.object(sys, 'argv', argv),
            mock.patch.dict(os.environ, env),
            mock.patch.object(sys, 'excepthook'),
        ):
            runpy.run_path(argv[0], run_name='__main__')

    return run


@pytest.fixture
def ghostscript(tmp_path_factory, monkeypatch):
    """A `gs` on PATH, and a Pillow that opens EPS: the file that exists once it ran."""
    folder = tmp_path_factory.mktemp('gs')
    ran, program = folder / 'ran', folder / 'gs'
    program.write_text(f'#!/bin/sh\ntouch "{ran}"\n')
    program.chmod(0o755)
    monkeypatch.setenv('PATH', f'{folder}{os.pathsep}{os.environ["PATH"]}')
    Image.init()
    monkeypatch.setattr(EpsImagePlugin, 'gs_binary', None)
    # copies: the test may forbid formats
    monkeypatch.setattr(
        Image,
        'OPEN',
        {
            **Image.OPEN,
            'EPS': (
                EpsImagePlugin.EpsImageFile,
                lambda start: start.startswith(b'%!PS'),
            ),
        },
    )
    monkeypatch.setattr(Image, 'ID', [*Image.ID, 'EPS'])
    return ran


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def image_and_mask(rng, height, width, label):
    """Noise with a bright box whose colour tells the label."""
    image = rng.integers(0, 120, (height, width, 3), dtype=np.uint8)
    mask = np.zeros((height, width), bool)
    mask[height // 4 : height // 2, width // 4 : 3 * width // 4] = True
    image[mask] = np.array([250, 40, 40]) if label % 2 else np.array([40, 250, 40])
    return image, mask


@pytest.fixture(scope='session')
def pets_root(tmp_path_factory):
    """12 cats and dogs in torchvision's layout, with the archive's ``._`` files."""
    data = tmp_path_factory.mktemp('data')
    root = data / 'oxford-iiit-pet'
    rng = np.random.default_rng(0)
    lines = []
    for number in range(12):
        breed = number % 4
        name = f'{("Abyssinian", "beagle", "Bengal", "pug")[breed]}_{number}'
        image, mask = image_and_mask(rng, 60, 80, breed)
        trimap = np.full(mask.shape, 2, np.uint8)
        trimap[mask] = 3
        trimap[17:29, 22:58] = 1
        (root / 'images').mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(root / 'images' / f'{name}.jpg', quality=95)
        save(root / 'annotations' / 'trimaps' / f'{name}.png', trimap)
        (root / 'annotations' / 'trimaps' / f'._{name}.png').write_bytes(b'junk')
        lines.append(f'{name} {breed + 1} {1 + breed % 2} {breed // 2 + 1}\n')
    (root / 'annotations' / 'trainval.txt').write_text(''.join(lines[:8]))
    (root / 'annotations' / 'test.txt').write_text(''.join(lines[8:]))
    return data


@pytest.fixture(scope='session')
def waterbirds_root(tmp_path_factory):
    """16 images in the layout of docs/data.md."""
    data = tmp_path_factory.mktemp('data')
    root = data / 'waterbirds100'
    rng = np.random.default_rng(0)
    rows = [('filename', 'label', 'split', 'place', 'x0', 'y0', 'x1', 'y1')]
    for number in range(24):
        bird = number % 2
        split = ('train', 'val', 'test')[number // 8]
        place = bird if split == 'train' else (number // 2) % 2
        image, _ = image_and_mask(rng, 64, 96, bird)
        name = f'images/{number:03d}.jpg'
        (root / 'images').mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(root / name, quality=95)
        rows.append(
            (
                name,
                ('landbird', 'waterbird')[bird],
                split,
                ('land', 'water')[place],
                24,
                16,
                72.5,
                31.5,
            )
        )
    with (root / 'labels.csv').open('w', newline='') as stream:
        csv.writer(stream).writerows(rows)
    return data


# ---- as their publishers lay them out -------------------------------------------


@pytest.fixture(scope='session')
def brain_mri_source(tmp_path_factory):
    """9 slices of 9 patients, as in figshare 1512427: MATLAB v7.3, columns first."""
    h5py = pytest.importorskip('h5py')
    source = tmp_path_factory.mktemp('figshare')
    rng = np.random.default_rng(0)
    for number in range(1, 10):
        image, mask = image_and_mask(rng, 24, 32, number)
        folder = source / f'brainTumorDataPublic_{number // 5}'
        folder.mkdir(exist_ok=True)
        with h5py.File(folder / f'{number}.mat', 'w') as content:
            content['cjdata/image'] = image[..., 0].T.astype(np.int16) * 40
            content['cjdata/label'] = np.array([[1.0 + number % 3]])
            patient = np.frombuffer(f'10{number:04d}'.encode(), np.uint8)
            content['cjdata/PID'] = patient[:, None].astype(np.uint16)
            content['cjdata/tumorBorder'] = np.ones((1, 8))
            content['cjdata/tumorMask'] = mask.T.astype(np.uint8)
    with h5py.File(source / 'cvind.mat', 'w') as content:
        content['cvind'] = np.ones((1, 9))
    return source


@pytest.fixture(scope='session')
def lgg_source(tmp_path_factory):
    """4 patients of 3 slices, as in kaggle_3m; the first slice has no tumour."""
    source = tmp_path_factory.mktemp('kaggle') / 'kaggle_3m'
    rng = np.random.default_rng(0)
    for number in (41, 42, 43, 45):
        patient = f'TCGA_CS_49{number}_19960909'
        for slice_ in (1, 2, 10):
            image, mask = image_and_mask(rng, 32, 32, slice_)
            mask &= slice_ > 1
            name = f'{patient}_{slice_}'
            save(source / patient / f'{name}.tif', image)
            save(source / patient / f'{name}_mask.tif', mask * np.uint8(255))
    (source / 'data.csv').write_text('Patient,RNASeqCluster\n')
    return source


@pytest.fixture(scope='session')
def idrid_source(tmp_path_factory):
    """6 images, as on IEEE DataPort: all have HE and EX, every second one SE."""
    source = tmp_path_factory.mktemp('dataport')
    root = source / 'A. Segmentation'
    rng = np.random.default_rng(0)
    for number in range(6):
        split = ('a. Training Set', 'b. Testing Set')[number // 4]
        image, mask = image_and_mask(rng, 170, 250, number)
        name = f'IDRiD_{number:02d}'
        save(root / '1. Original Images' / split / f'{name}.jpg', image)
        for kind, folder in (
            ('HE', '2. Haemorrhages'),
            ('EX', '3. Hard Exudates'),
            ('SE', '4. Soft Exudates'),
        )[: 2 + number % 2]:
            save(
                root
                / '2. All Segmentation Groundtruths'
                / split
                / folder
                / f'{name}_{kind}.tif',
                mask.astype(np.uint8) * 76,
            )
    return source


@pytest.fixture
def voc_root(tmp_path):
    """8 aeroplanes and cows in VOC 2012's layout, every second one segmented."""
    root = tmp_path / 'VOCdevkit' / 'VOC2012'
    rng = np.random.default_rng(0)
    (root / 'ImageSets' / 'Main').mkdir(parents=True)
    names = [f'2008_{number:06d}' for number in range(8)]
    for number, name in enumerate(names):
        image, mask = image_and_mask(rng, 40, 50, number)
        save(root / 'JPEGImages' / f'{name}.jpg', image)
        if number // 2 % 2:
            # by VOC's palette: 1 aeroplane, 10 cow, 255 the band around
            classes = np.where(mask, np.uint8((1, 10)[number % 2]), np.uint8(0))
            classes[10, 12:37] = 255
            save(root / 'SegmentationClass' / f'{name}.png', classes)
        xml = root / 'Annotations' / f'{name}.xml'
        xml.parent.mkdir(exist_ok=True)
        xml.write_text(
            '<annotation><size><width>50</width><height>40</height></size><object>'
            f'<name>{("aeroplane", "cow")[number % 2]}</name><difficult>0</difficult>'
            '<bndbox><xmin>13</xmin><ymin>11</ymin><xmax>37</xmax><ymax>20</ymax>'
            '</bndbox></object></annotation>'
        )
    for index, kind in enumerate(('aeroplane', 'cow')):
        lines = [
            f'{name} {1 if number % 2 == index else -1:2d}\n'
            for number, name in enumerate(names)
        ]
        lists = root / 'ImageSets' / 'Main'
        (lists / f'{kind}_train.txt').write_text(''.join(lines[:4]))
        (lists / f'{kind}_val.txt').write_text(''.join(lines[4:]))
    return root


@pytest.fixture
def helmets_root(tmp_path):
    """9 images with boxes around heads, as on Kaggle; every third has both kinds."""
    root = tmp_path / 'bike_helmets'
    rng = np.random.default_rng(0)
    box = (
        '<bndbox><xmin>{}</xmin><ymin>11</ymin><xmax>{}</xmax><ymax>20</ymax></bndbox>'
    )
    for number in range(9):
        image, _ = image_and_mask(rng, 40, 50, number)
        save(root / 'images' / f'BikesHelmets{number}.png', image)
        names = [('With Helmet', 'Without Helmet')[number % 2]]
        if number % 3 == 0:
            names = ['With Helmet', 'Without Helmet']
        objects = ''.join(
            f'<object><name>{name}</name><difficult>0</difficult>'
            f'{box.format(13 + 15 * i, 25 + 15 * i)}</object>'
            for i, name in enumerate(names)
        )
        file = root / 'annotations' / f'BikesHelmets{number}.xml'
        file.parent.mkdir(exist_ok=True)
        file.write_text(
            '<annotation><size><width>50</width><height>40</height></size>'
            f'{objects}</annotation>'
        )
    return root


def write_idx(file, array):
    """A gzipped IDX file of bytes."""
    header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, '>u4').tobytes()
    file.write_bytes(gzip.compress(header + array.tobytes()))


@pytest.fixture(scope='session')
def mnist_source(tmp_path_factory):
    """20 digits for training and 10 for testing, in MNIST's four files."""
    source = tmp_path_factory.mktemp('mnist')
    rng = np.random.default_rng(0)
    for part, count in (('train', 20), ('t10k', 10)):
        images = np.zeros((count, 28, 28), np.uint8)
        images[:, 8:20, 10:18] = rng.integers(1, 256, (count, 12, 8))
        labels = np.arange(count, dtype=np.uint8) % 10
        write_idx(source / f'{part}-images-idx3-ubyte.gz', images)
        write_idx(source / f'{part}-labels-idx1-ubyte.gz', labels)
    return source


@pytest.fixture
def waterbirds_source(tmp_path):
    """6 images in the layout of their authors, and CUB's lists."""
    rng = np.random.default_rng(0)
    lines, names, boxes = ['img_id,img_filename,y,split,place,place_filename'], [], []
    for number in range(1, 7):
        name = f'00{number}.Bird/Bird_{number:04d}.jpg'
        image, _ = image_and_mask(rng, 40, 60, number)
        save(tmp_path / 'waterbirds100' / name, image)
        bird, split = number % 2, number // 3
        lines.append(f'{number},{name},{bird},{split},{bird},/f/1.jpg')
        names.append(f'{number} {name}')
        boxes.append(f'{number} 15.0 10.0 30.0 10.0')
    (tmp_path / 'CUB_200_2011').mkdir()
    for file, text in (
        ('waterbirds100/metadata.csv', lines),
        ('CUB_200_2011/images.txt', names),
        ('CUB_200_2011/bounding_boxes.txt', boxes),
    ):
        (tmp_path / file).write_text('\n'.join(text) + '\n')
    return tmp_path
