"""Another image for each image of a data set, the same in any batch and rank."""

from collections import defaultdict
from collections.abc import Iterator

from cfcn_plugin.masks import guidance_rank

from .correctness import labels_of


class BackgroundPairs:
    """Other images for the background of an image, by a hash of seed and index.

    Args:
        dataset: Data set of mmpretrain, or a wrapper with ``get_data_info``.
        seed: Another seed chooses others.

    Raises:
        TypeError: The data set gives no labels without its images.
    """

    def __init__(self, dataset, seed: int = 0):
        if not hasattr(dataset, 'get_data_info'):
            raise TypeError(
                f'{type(dataset).__name__} has no `get_data_info(index)`, for labels '
                'without loading images: use a data set of mmpretrain'
            )
        self.dataset = dataset
        self.seed = seed
        self.names = []
        self.classes = defaultdict(list)  # labels -> indices
        for index in range(len(dataset)):
            info = dataset.get_data_info(index)
            self.names.append(_name(info))
            self.classes[labels_of(info['gt_label'])].append(index)
        # the first of an image that is there several times
        self.index = {name: i for i, name in reversed(list(enumerate(self.names)))}
        self._candidates = {}

    def of(self, sample, which: str) -> Iterator[int]:
        """Indices of others, the chosen one first: the next where it has no mask.

        Args:
            sample: A data sample.
            which: ``'other_class'``: none of its labels is the sample's.
                ``'same_class'``: all are.

        Raises:
            ValueError: The sample is of no image of the data set.
        """
        name = _name(sample)
        if name not in self.index:
            raise ValueError(
                f"'{name}' is no image of the data set: pack `img_path` or, for "
                'images in memory, `sample_idx` (`meta_keys` of PackGuidedInputs)'
            )
        candidates = self._of_class(labels_of(sample.gt_label), which)
        rank = guidance_rank(f'{which} {self.index[name]}', self.seed)
        start = int(rank * len(candidates))
        for step in range(len(candidates)):
            index = candidates[(start + step) % len(candidates)]
            if self.names[index] != name:
                yield index

    def _of_class(self, labels: frozenset[int], which: str) -> list[int]:
        if (labels, which) not in self._candidates:
            self._candidates[labels, which] = sorted(
                index
                for others, indices in self.classes.items()
                if (
                    others == labels
                    if which == 'same_class'
                    else others and not others & labels
                )
                for index in indices
            )
        return self._candidates[labels, which]


def _name(sample):
    """The path or the index of an image, unique in its data set."""
    path = sample.get('img_path')
    return sample.get('sample_idx') if path is None else path
