"""How masks were refined in the first epoch, counted in the main process."""

from collections import Counter
from collections.abc import Iterable

import torch
from mmengine.dist import all_reduce
from mmengine.logging import MMLogger

from cfcn_plugin.masks.refine_record import WAYS, describe_ways
from cfcn_plugin.mm.transforms import LoadActivationMask


class OutlineCount:
    """Counts the ways to outlines, each image once; workers' counts are their own."""

    def __init__(self):
        self.ways = {}

    def add(self, data_batch: dict) -> None:
        """Add the ``outline_ways`` of a batch's packed samples."""
        for sample in data_batch['data_samples']:
            if 'outline_ways' in sample:
                name = sample.get('img_path') or sample.get('sample_idx')
                self.ways[name] = sample.outline_ways

    def tell(self, logger: MMLogger) -> None:
        """Log the counts of all ranks; a warning if a mark has no outline.

        All ranks must call this method.
        """
        total = sum(self.ways.values(), Counter())
        counts = torch.tensor([len(self.ways), *(total[way] for way in WAYS)])
        all_reduce(counts)  # in place
        images, *counts = counts.tolist()
        ways = Counter(dict(zip(WAYS, counts)))
        if not ways.total():
            return
        text = f'refine: {ways.total()} marks of {images} images: {describe_ways(ways)}'
        if ways['ellipse'] or ways['mark']:
            logger.warning(
                f'{text}. Without an outline, context beside the object counts as the '
                'object: `tools/check_masks.py CONFIG --sheet NEW.png` shows these '
                'images'
            )
        else:
            logger.info(text)


def tell_refining(loads: Iterable[LoadActivationMask], logger: MMLogger) -> None:
    """Log before training where the outlines of refined masks are kept."""
    for refine in {load.refine.refine for load in loads}:
        if refine.cache is None:
            logger.warning(
                f'{type(refine).__name__} has no `cache`: each mask is '
                'refined again in each epoch. Name a folder: '
                "refine=dict(..., cache='work_dirs/outlines')"
            )
        else:
            logger.info(
                'masks are refined; the first epoch ends with a count of what '
                f"was found. Outlines are kept in '{refine.cache.folder}'"
            )
