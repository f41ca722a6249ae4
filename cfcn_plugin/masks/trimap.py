"""The trimaps of Oxford-IIIT Pets."""

from pathlib import Path

import numpy as np

from cfcn_plugin.options import check_choice

from .errors import MaskError
from .png import PNGMasks

ANIMAL, BACKGROUND, BORDER = 1, 2, 3
BORDERS = ('causal', 'context', 'ignore')


class TrimapMasks(PNGMasks):
    """Trimaps: 1 is the animal, 2 the background, 3 the border between them.

    The paper does not define the border. The border contains ears, tails and fur, so
    the border is causal by default.

    Args:
        masks, images, data_root: As in :class:`.MirrorMasks`.
        border: Handling of border pixels: ``'causal'``, ``'context'`` or ``'ignore'``.
    """

    def __init__(
        self,
        masks: str = 'annotations/trimaps',
        images: str = 'images',
        data_root: str = '',
        border: str = 'causal',
    ):
        check_choice('border', border, BORDERS)
        super().__init__(
            masks,
            images,
            data_root,
            causal=[ANIMAL, BORDER] if border == 'causal' else [ANIMAL],
            ignore=[BORDER] if border == 'ignore' else [],
        )

    def values(self, file: Path, shape: tuple[int, int]) -> np.ndarray:
        values = super().values(file, shape)
        found = set(np.unique(values).tolist())
        if not found <= {ANIMAL, BACKGROUND, BORDER}:
            raise MaskError(
                'not a trimap: expected values 1 (animal), 2 (background), 3 (border), '
                f'got {sorted(found)[:8]}; for binary masks use PNGMasks'
            )
        return values
