"""Oxford-IIIT Pets by breed and by species."""

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
                f'`python tools/get_data.py pets --root {Path(data_root).parent}`, or '
                'set the environment variable CFCN_DATA to the folder that holds '
                f"'{Path(data_root).name}'"
            )
        super().__init__(data_root=data_root, split=split, **kwargs)

    def load_data_list(self) -> list[dict]:
        known, classes = self.METAINFO['classes'], self.metainfo['classes']
        unknown = sorted(set(classes) - set(known))
        if unknown:
            raise ValueError(
                f'`classes` has {unknown}, expected some of {", ".join(known)}'
            )
        if len(set(classes)) < len(classes):
            raise ValueError(f'`classes` has a name twice: {", ".join(classes)}')
        labels = {known.index(name): label for label, name in enumerate(classes)}
        samples = [
            {**sample, 'gt_label': labels[sample['gt_label']]}
            for sample in self.load_samples()
            if sample['gt_label'] in labels
        ]
        found = {sample['gt_label'] for sample in samples}
        missing = [name for label, name in enumerate(classes) if label not in found]
        if missing and len(classes) < len(known):
            raise ValueError(
                f"'{self.ann_file}' has no image of {', '.join(missing)}: "
                'leave out of `classes` what has no image'
            )
        return samples

    def load_samples(self) -> list[dict]:
        """All samples of the split, with labels by the order of ``METAINFO``."""
        return super().load_data_list()


class PetsBreeds(_Pets):
    """Oxford-IIIT Pets by breed: the stock dataset, in torchvision's layout.

    Args:
        classes: Names of breeds; images of other breeds are left out, and labels go by
            this order. None: all 37.
        data_root, split, **kwargs: As in ``OxfordIIITPet``.

    Raises:
        ValueError: A name is no breed or occurs twice, or the split has no image of a
            breed that is asked for.
        FileNotFoundError: The split's file does not exist.
    """


class PetsSpecies(_Pets):
    """Oxford-IIIT Pets, 2 species (third column of the split's file).

    The paper does not give the number of Pets classes. Its accuracy of 0.94 from
    scratch at 96x96 implies these two classes. ``classes`` gives their order.
    """

    METAINFO = {'classes': ('cat', 'dog')}

    def load_samples(self) -> list[dict]:
        samples = super().load_samples()
        with open(self.ann_file, encoding='utf-8') as stream:
            species = [
                read_whole(line.split()[2]) - 1 for line in stream if line.strip()
            ]
        return [{**s, 'gt_label': label} for s, label in zip(samples, species)]
