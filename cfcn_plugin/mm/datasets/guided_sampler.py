"""Oversampling of guided images for data sets with few masks."""

import math
from collections.abc import Iterator

import torch
from mmengine.dataset import DefaultSampler

from cfcn_plugin.masks import image_key
from cfcn_plugin.mm.evaluation.correctness import labels_of
from cfcn_plugin.mm.transforms import LoadActivationMask
from cfcn_plugin.options import check_flag, check_number
from cfcn_plugin.stock import Stock

from .wrappers import pipeline_datasets


class GuidedSampler(DefaultSampler):
    """Draws at least a given fraction of guided images in each epoch.

    With masks for 5 % of the images, a batch of 32 has one or two guided images, too
    few for guidance to have an effect. This sampler draws each guided image several
    times; the counts differ by at most one. The length of an epoch does not change: as
    many unguided images are left out, different images in each epoch. The order is
    random.

    Args:
        dataset: A data set with a ``LoadActivationMask`` in its pipeline, also inside
            wrappers that repeat or balance the data set.
        fraction: Fraction of guided draws, in (0, 1]. If the data set already has a
            larger fraction, this sampler equals mmengine's ``DefaultSampler``.
        class_balanced: Whether the guided draws are equally many of each class. Labels
            are single ones.
        shuffle, seed, round_up: As in mmengine's ``DefaultSampler``.

    Raises:
        ValueError: ``fraction`` is outside its range, no image is guided, the data set
            has no or several pipelines with masks, or classes are to be balanced and a
            class has no guided image, or an image several labels.
    """

    stock = Stock('DefaultSampler', extra_keys=('fraction', 'class_balanced'))

    def __init__(
        self, dataset, fraction: float = 0.5, class_balanced: bool = False, **kwargs
    ):
        check_number('fraction', fraction, above=0, most=1)
        check_flag('class_balanced', class_balanced)
        super().__init__(dataset, **kwargs)
        self.fraction = fraction
        guided = torch.tensor(guided_images(dataset))
        self._guided = guided.nonzero().flatten()
        self._unguided = (~guided).nonzero().flatten()
        if not len(self._guided):
            raise ValueError(
                'no training image is guided, so GuidedSampler has '
                'nothing to draw: check `image_list` and `fraction` '
                'of LoadActivationMask, or use DefaultSampler'
            )
        self._classes = _by_class(dataset, self._guided) if class_balanced else None

    def __iter__(self) -> Iterator[int]:
        enough = len(self._guided) >= self.fraction * len(self.dataset)
        if enough and self._classes is None:
            return super().__iter__()
        generator = torch.Generator()
        generator.manual_seed(self.seed + self.epoch)
        fraction = max(self.fraction, len(self._guided) / len(self.dataset))
        count = math.ceil(fraction * self.total_size)
        indices = torch.cat(
            [
                self._draw_guided(count, generator),
                _draw(self._unguided, self.total_size - count, generator),
            ]
        )
        if self.shuffle:
            indices = indices[torch.randperm(len(indices), generator=generator)]
        return iter(indices[self.rank :: self.world_size].tolist())

    def _draw_guided(self, count: int, generator: torch.Generator) -> torch.Tensor:
        if self._classes is None:
            return _draw(self._guided, count, generator)
        amount, classes = len(self._classes), self._classes
        # the remainder falls on other classes in each epoch
        order = torch.randperm(amount, generator=generator).tolist()
        return torch.cat(
            [
                _draw(classes[c], (count + rank) // amount, generator)
                for rank, c in enumerate(order)
            ]
        )


def _draw(of: torch.Tensor, count: int, generator: torch.Generator) -> torch.Tensor:
    """``count`` random elements; their frequencies differ by at most one."""
    rounds = [
        of[torch.randperm(len(of), generator=generator)]
        for _ in range(math.ceil(count / max(len(of), 1)))
    ]
    return torch.cat([of[:0], *rounds])[:count]


def guided_images(dataset) -> list[bool]:
    """Whether each item of a data set has a mask that the pipeline loads.

    No mask is decoded, so empty and damaged masks count as guided.

    Raises:
        ValueError: The data set has no or several pipelines with masks.
    """
    inner = list(pipeline_datasets(dataset))
    loads = [
        t
        for one in inner
        for t in one.pipeline.transforms
        if isinstance(t, LoadActivationMask)
    ]
    if len(inner) != 1 or len(loads) != 1:
        names = ', '.join(type(one).__name__ for one in inner or [dataset])
        raise ValueError(
            f'{names} has {len(loads)} LoadActivationMask in {len(inner)} pipelines: '
            'a single one of each is needed to find the images that are guided'
        )
    (load,) = loads
    keys = [
        image_key({'sample_idx': i, **dataset.get_data_info(i)}, load.source.data_root)
        for i in range(len(dataset))
    ]
    without = set(load.source.missing(keys))
    return [load.is_chosen(key) and key not in without for key in keys]


def _by_class(dataset, guided: torch.Tensor) -> list[torch.Tensor]:
    """The guided images of each class."""
    labels = [
        labels_of(dataset.get_data_info(i)['gt_label']) for i in range(len(dataset))
    ]
    if any(len(one) != 1 for one in labels):
        raise ValueError(
            '`class_balanced` needs one label for each image: leave it '
            'out for images of several labels'
        )
    labels = torch.tensor([label for one in labels for label in one])
    classes = [guided[labels[guided] == label] for label in labels.unique()]
    empty = [int(label) for label, one in zip(labels.unique(), classes) if not len(one)]
    if empty:
        raise ValueError(
            f'the classes {empty} have no guided image, so they cannot be drawn: give '
            'masks of a few images of each class, or leave `class_balanced` out'
        )
    return classes
