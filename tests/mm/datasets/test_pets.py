"""Oxford-IIIT Pets: breeds, species, and the error for missing data."""

from shutil import copytree

import numpy as np
import pytest
from mmpretrain.registry import DATASETS
from PIL import Image

from cfcn_plugin.masks import MaskError
from cfcn_plugin.mm.datasets import PetsBreeds, PetsSpecies

# name, breed, species (1 cat, 2 dog), breed among its species
TRAINVAL = [
    'Abyssinian_100 1 1 1',
    'american_bulldog_100 2 2 1',
    'Bengal_7 6 1 2',
    'yorkshire_terrier_3 37 2 25',
]
TEST = ['Abyssinian_201 1 1 1', 'beagle_9 5 2 4']
SIZE = (9, 12)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('data') / 'oxford-iiit-pet'
    (root / 'images').mkdir(parents=True)
    trimaps = root / 'annotations' / 'trimaps'
    trimaps.mkdir(parents=True)
    for name, lines in (
        ('trainval', TRAINVAL),
        ('test', TEST),
        ('list', ['#Image CLASS-ID SPECIES', *TRAINVAL, *TEST]),
    ):
        (root / 'annotations' / f'{name}.txt').write_text('\n'.join(lines) + '\n')
    trimap = np.full(SIZE, 2, np.uint8)
    trimap[2:6, 3:9] = 3
    trimap[3:5, 4:8] = 1
    for line in TRAINVAL + TEST:
        name = line.split()[0]
        Image.new('RGB', SIZE[::-1]).save(root / 'images' / f'{name}.jpg')
        Image.fromarray(trimap).save(trimaps / f'{name}.png')
        (trimaps / f'._{name}.png').write_bytes(b'junk of the archive')
    return root


def labels(pets, root, split):
    # serialising collects garbage for the best part of a second
    data = pets(str(root), split=split, serialize_data=False)
    return data.get_gt_labels().tolist()


def test_breeds_are_the_second_column(root):
    assert len(PetsBreeds(str(root), lazy_init=True).metainfo['classes']) == 37
    assert labels(PetsBreeds, root, 'trainval') == [0, 1, 5, 36]
    assert labels(PetsBreeds, root, 'test') == [0, 4]


def test_species_are_the_third_column(root):
    metainfo = PetsSpecies(str(root), lazy_init=True).metainfo
    assert metainfo['classes'] == ('cat', 'dog')
    assert labels(PetsSpecies, root, 'trainval') == [0, 1, 0, 1]
    assert labels(PetsSpecies, root, 'test') == [0, 1]


@pytest.mark.parametrize('pets', [PetsBreeds, PetsSpecies])
def test_images_are_in_the_folder_images(root, pets):
    data = pets(str(root), serialize_data=False)
    assert [data.get_data_info(i)['img_path'] for i in range(len(data))] == [
        str(root / 'images' / f'{line.split()[0]}.jpg') for line in TRAINVAL
    ]


@pytest.mark.parametrize('pets', ['PetsBreeds', 'PetsSpecies'])
def test_every_image_loads_with_its_trimap(root, pets):
    source = dict(type='TrimapMasks', data_root=str(root))
    data = DATASETS.build(
        dict(
            type=pets,
            data_root=str(root),
            split='test',
            serialize_data=False,
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadActivationMask', source=source),
                dict(type='PackGuidedInputs'),
            ],
        )
    )
    for sample in data:
        assert sample['data_samples'].activation_mask.shape == SIZE
        assert sample['data_samples'].activation_mask.sum() == 4 * 6
    data.pipeline.transforms[1].source.check()


@pytest.mark.parametrize('split', ['trainval', 'test'])
@pytest.mark.parametrize('pets', [PetsBreeds, PetsSpecies])
def test_missing_data_names_folder_command_and_variable(tmp_path, pets, split):
    root = tmp_path / 'oxford-iiit-pet'
    with pytest.raises(FileNotFoundError) as caught:
        pets(str(root), split=split)
    for part in (
        f"'{root / 'annotations' / split}.txt'",
        f'python tools/get_data.py pets --root {tmp_path}`',
        'CFCN_DATA',
        "'oxford-iiit-pet'",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize('pets', [PetsBreeds, PetsSpecies])
def test_unknown_option_is_an_error(root, pets):
    with pytest.raises(TypeError, match='species'):
        pets(str(root), species='cat')


def test_some_breeds_are_labelled_by_their_order_and_others_left_out(root):
    classes = ['Bengal', 'Abyssinian']
    pets = PetsBreeds(str(root), classes=classes, serialize_data=False)
    assert pets.metainfo['classes'] == tuple(classes)
    assert [
        (one['img_path'].rpartition('/')[2], one['gt_label'])
        for one in map(pets.get_data_info, range(len(pets)))
    ] == [('Abyssinian_100.jpg', 1), ('Bengal_7.jpg', 0)]


def test_species_are_labelled_by_the_order_of_the_classes(root):
    pets = PetsSpecies(str(root), classes=['dog', 'cat'], serialize_data=False)
    assert pets.get_gt_labels().tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(
    'pets, classes, message',
    [
        (
            PetsBreeds,
            ['bengal'],
            r"`classes` has \['bengal'\], expected some of Abyssinian, american",
        ),
        (PetsSpecies, ['Abyssinian'], 'expected some of cat, dog'),
        (
            PetsBreeds,
            ['Bengal', 'Bengal'],
            '`classes` has a name twice: Bengal, Bengal',
        ),
        (
            PetsBreeds,
            ['Abyssinian', 'beagle'],
            "trainval.txt' has no image of beagle: leave out of `classes`",
        ),
    ],
)
def test_classes_that_are_not_there_are_refused(root, pets, classes, message):
    with pytest.raises(ValueError, match=message):
        pets(str(root), classes=classes)


@pytest.fixture
def odd(root, tmp_path):
    """Pets with a PNG with alpha and a GIF named .jpg, and a trimap of background."""
    copytree(root, tmp_path / 'pets')
    images = tmp_path / 'pets/images'
    Image.new('RGBA', SIZE[::-1], (10, 20, 30, 40)).save(
        images / 'Bengal_7.jpg', format='PNG'
    )
    Image.new('RGB', SIZE[::-1], (10, 20, 30)).quantize().save(
        images / 'Abyssinian_100.jpg', format='GIF'
    )
    Image.new('L', SIZE[::-1], 2).save(
        tmp_path / 'pets/annotations/trimaps/Abyssinian_100.png'
    )
    return tmp_path / 'pets'


def cats(root, backend='cv2', **options):
    return DATASETS.build(
        dict(
            type='PetsBreeds',
            data_root=str(root),
            classes=['Abyssinian', 'Bengal'],
            serialize_data=False,
            pipeline=[
                dict(type='LoadImageFromFile', imdecode_backend=backend),
                dict(
                    type='LoadActivationMask',
                    **options,
                    source=dict(type='TrimapMasks', data_root=str(root)),
                ),
                dict(type='PackGuidedInputs'),
            ],
        )
    )


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_png_with_alpha_and_gif_named_jpg_are_read_by_their_content(odd, backend):
    for sample in cats(odd, backend, empty='unguided'):
        assert sample['inputs'].shape == (3, *SIZE)
        assert sample['inputs'][:, 0, 0].tolist() == [30, 20, 10]


def test_trimap_without_an_animal_is_an_error_until_declared_unguided(odd):
    with pytest.raises(
        MaskError,
        match=("Abyssinian_100.png' has no causal pixel: .* `empty='unguided'`"),
    ):
        cats(odd)[0]
    samples = [one['data_samples'] for one in cats(odd, empty='unguided')]
    assert [one.guided for one in samples] == [False, True]
    assert [one.gt_label.item() for one in samples] == [0, 1]
