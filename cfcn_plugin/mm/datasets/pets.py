"""Oxford-IIIT Pets by species."""
from pathlib import Path

from mmpretrain.datasets import OxfordIIITPet

from cfcn_plugin.masks.io.numbers import read_whole
from cfcn_plugin.stock import STAYS


class _Pets(OxfordIIITPet):
    """The stock data set; the error for missing data has the download command."""
    stock = STAYS

    def __init__(self, data_root: str, split: str = 'trainval', **kwargs):
        needed = Path(data_root, 'annotations', f'{split}.txt')
        if split in ('trainval', 'test') and not needed.is_file():
            raise FileNotFoundError(
                f"'{needed}' does not exist: get Oxford-IIIT Pets with "
                f"`python tools/get_data.py pets --root {Path(data_root).parent}`, or "
                'set the environment variable CFCN_DATA to the folder that holds '
                f"'{Path(data_root).name}'")
        super().__init__(data_root=data_root, split=split, **kwargs)


class PetsBreeds(_Pets):
    """Oxford-IIIT Pets, 37 breeds: the stock dataset, in torchvision's layout."""


class PetsSpecies(_Pets):
    """Oxford-IIIT Pets, 2 species (third column of the split's file).

    The paper does not give the number of Pets classes. Its accuracy of 0.94 from
    scratch at 96x96 implies these two classes.
    """
    METAINFO = {'classes': ('cat', 'dog')}

    def load_data_list(self) -> list[dict]:
        samples = super().load_data_list()
        with open(self.ann_file, encoding='utf-8') as stream:
            species = [read_whole(line.split()[2]) - 1
                       for line in stream if line.strip()]
        return [{**s, 'gt_label': label} for s, label in zip(samples, species)]
