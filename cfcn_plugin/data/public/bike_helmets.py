"""Bike-Helmets: does everybody in the image wear one?"""

from pathlib import Path

from cfcn_plugin.masks.errors import at, expect
from cfcn_plugin.masks.io.voc_xml import read_objects
from cfcn_plugin.masks.selection import choose_guided

from .new_dataset import write_table

WITH, WITHOUT = 'With Helmet', 'Without Helmet'
TEST = 500  # of 764 (paper)
FILE = 'labels.csv'


def list_bike_helmets(root: str | Path, test: int = TEST) -> Path:
    """Write ``labels.csv`` (filename, label, split) into the tree.

    The published boxes are of riders' heads, with helmet and without. The paper does
    not say how an image with both is labelled: here it is ``Without Helmet``.

    Args:
        root: The folder with ``images/*.png`` and ``annotations/*.xml``.
        test: How many images are for testing, chosen by a hash.

    Raises:
        FileExistsError: The file exists.
        FileNotFoundError: There are no annotations, or one has no image.
        MaskError: An annotation is no XML of VOC's kind.
        ValueError: An annotation shows neither, or there are too few images.
    """
    root = Path(root)
    labels = {}
    for file in sorted((root / 'annotations').glob('*.xml')):
        image = root / 'images' / f'{file.stem}.png'
        if not image.is_file():
            raise FileNotFoundError(f"'{file}' has no image '{image}'")
        labels[f'images/{image.name}'] = _label(file)
    if not labels:
        raise FileNotFoundError(
            f"'{root}' has no 'annotations/*.xml': unpack Kaggle's "
            'andrewmvd/helmet-detection there'
        )
    if len(labels) <= test:
        raise ValueError(
            f"'{root}' has {len(labels)} images, of which {test} are to "
            'be for testing: is it whole?'
        )
    tests = set(choose_guided(labels.items(), test))
    return write_table(
        root / FILE,
        ('filename', 'label', 'split'),
        (
            (name, label, 'test' if name in tests else 'train')
            for name, label in labels.items()
        ),
    )


def _label(file: Path) -> str:
    with at(f"'{file}'"):
        objects, _ = read_objects(file)
        names = {one.name for one in objects}
        expect(
            names and names <= {WITH, WITHOUT},
            f"objects '{WITH}' or '{WITHOUT}'",
            sorted(names) or 'none',
        )
    return WITHOUT if WITHOUT in names else WITH
