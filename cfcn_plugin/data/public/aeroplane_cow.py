"""Aeroplane-Cow: the two classes of VOC 2012, by VOC's own lists."""

from pathlib import Path

from cfcn_plugin.masks.errors import at, expect
from cfcn_plugin.masks.io.files import read_lines
from cfcn_plugin.masks.io.names import image_name

from .new_dataset import write_table

CLASSES = ('aeroplane', 'cow')
SPLITS = (('train', 'train'), ('test', 'val'))  # VOC keeps its test labels to itself
PRESENT, DIFFICULT, ABSENT = '1', '0', '-1'
FILE = 'aeroplane-cow.csv'


def list_aeroplane_cow(voc: str | Path) -> Path:
    """Write ``aeroplane-cow.csv`` (filename, label, split) into the tree.

    An image is taken if one of ``ImageSets/Main/CLASS_{train,val}.txt`` says that its
    class is there, and the other class's that it is not, difficult ones included.

    Args:
        voc: The folder ``VOC2012`` as published.

    Raises:
        FileExistsError: The file exists.
        FileNotFoundError: A list is missing.
        ValueError: A line is not as in VOC's lists, or two lists name other images.
    """
    rows = []
    for ours, theirs in SPLITS:
        flags = [
            _flags(Path(voc, 'ImageSets', 'Main', f'{name}_{theirs}.txt'))
            for name in CLASSES
        ]
        if flags[0].keys() != flags[1].keys():
            raise ValueError(
                f"the lists of {CLASSES} in '{voc}' name other images: "
                'take them from one release'
            )
        for name in sorted(flags[0]):
            found = [one[name] for one in flags]
            if sorted(found) == sorted((PRESENT, ABSENT)):
                label = CLASSES[found.index(PRESENT)]
                rows.append((image_name(f'{name}.jpg', 'JPEGImages'), label, ours))
    return write_table(Path(voc, FILE), ('filename', 'label', 'split'), rows)


def _flags(file: Path) -> dict[str, str]:
    """Image -> whether it shows the class."""
    if not file.is_file():
        raise FileNotFoundError(
            f"'{file}' does not exist: expected the tree of VOC "
            "2012, with 'ImageSets/Main'"
        )
    flags = {}
    with at(f"'{file}'"):
        for place, line in read_lines(file):
            name, *rest = line.split()
            with at(place):
                expect(
                    len(rest) == 1 and rest[0] in (PRESENT, DIFFICULT, ABSENT),
                    'a name and 1, 0 or -1',
                    line,
                )
            flags[name] = rest[0]
    return flags
