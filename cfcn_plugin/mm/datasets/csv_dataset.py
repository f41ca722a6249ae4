"""Labels, splits and groups from one CSV file."""

import csv
from pathlib import Path

from mmpretrain.datasets import BaseDataset

from cfcn_plugin.masks.errors import at
from cfcn_plugin.masks.io.stored_names import stored_name
from cfcn_plugin.masks.io.table import open_csv
from cfcn_plugin.printable import printable
from cfcn_plugin.stock import STAYS


class CSVDataset(BaseDataset):
    """Images listed in a CSV file with a header.

    Each sample has ``img_path``, ``gt_label`` (a list, for several labels) and, with
    the option ``group``, ``group``.

    Args:
        ann_file: The file, below ``data_root``.
        split: Selected value of ``split_column``. None: all lines.
        classes: Names of the classes; labels are their indices.
        path: Column with the image's path below ``data_root``.
        label: Column with the class's name. For several labels per image, a list of
            columns of 0 and 1, in the order of ``classes``.
        split_column: Column with the split's name.
        group: Columns of the group's name; their values are joined by ``-``.
        **kwargs: As in mmpretrain's ``BaseDataset``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A column or class is missing, a label is neither 0 nor 1, or no
            line is left.
    """

    stock = STAYS

    def __init__(
        self,
        ann_file: str,
        classes: list[str],
        split: str | None = None,
        path: str = 'filename',
        label: str | list[str] = 'label',
        split_column: str = 'split',
        group: list[str] = (),
        **kwargs,
    ):
        self.several = not isinstance(label, str)
        self.labels = tuple(label) if self.several else (label,)
        if self.several and len(self.labels) != len(classes):
            raise ValueError(
                f'`label` must be one column, or one for each of the '
                f'{len(classes)} classes, got {list(label)}'
            )
        self.split = split
        self.path = path
        self.split_column = split_column
        self.group = tuple(group)
        super().__init__(ann_file=ann_file, classes=classes, **kwargs)

    def load_data_list(self) -> list[dict]:
        if not Path(self.ann_file).is_file():
            raise FileNotFoundError(
                f"'{self.ann_file}' does not exist: put the data below "
                f"'{self.data_root}' (docs/data.md; `python tools/get_data.py -h`), or "
                'set the environment variable CFCN_DATA to the folder of the data'
            )
        with at(f"'{self.ann_file}'"), open_csv(Path(self.ann_file)) as stream:
            reader = csv.DictReader(stream)
            split = () if self.split is None else (self.split_column,)
            wanted = {self.path, *self.labels, *self.group, *split}
            missing = wanted - set(reader.fieldnames or ())
            if missing:
                raise ValueError(
                    f"'{self.ann_file}' has no column {sorted(missing)}: "
                    f'its header is {reader.fieldnames}'
                )
            rows = []
            for row in reader:
                line = f"'{self.ann_file}', line {reader.line_num}"
                # check lines of all splits: a short line may lack the split
                short = sorted(column for column in wanted if row[column] is None)
                if short:
                    raise ValueError(f'{line} ends before its column {short}')
                if self.split in (None, row.get(self.split_column)):
                    rows.append(self._sample(row, line))
        if not rows:
            of = f" with {self.split_column}='{self.split}'" if split else ''
            raise ValueError(f"'{self.ann_file}' has no line{of}")
        return rows

    def get_cat_ids(self, idx: int) -> list[int]:
        """The image's labels."""
        label = self.get_data_info(idx)['gt_label']
        return label if isinstance(label, list) else [int(label)]

    def _sample(self, row: dict, line: str) -> dict:
        label = self._several if self.several else self._one
        name = stored_name(self.data_root, row[self.path])
        sample = dict(
            img_path=str(Path(self.data_root, name)),
            gt_label=label([row[column] for column in self.labels], line),
        )
        if self.group:
            # a part of the metrics' names in the log
            sample['group'] = printable('-'.join(row[name] for name in self.group))
        return sample

    def _one(self, given: list[str], line: str) -> int:
        if given[0] not in self.CLASSES:
            raise ValueError(
                f'{line}: label {given[0]!r} is none of the classes '
                f'{list(self.CLASSES)} (texts, as in the file)'
            )
        return self.CLASSES.index(given[0])

    def _several(self, given: list[str], line: str) -> list[int]:
        if not set(given) <= {'0', '1'}:
            raise ValueError(
                f'{line}: expected 0 or 1 in {list(self.labels)}, got {given}'
            )
        return [index for index, value in enumerate(given) if value == '1']
