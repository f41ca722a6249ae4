"""IDRiD, part A: fundus images and lesion masks at a size that trains."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cfcn_plugin.functional import resize_mask
from cfcn_plugin.masks.exif import open_as_stored
from cfcn_plugin.masks.idrid import FOLDERS, IDRiDMasks

from .new_dataset import write_dataset

SPLITS = {'a. Training Set': 'train', 'b. Testing Set': 'test'}
KINDS = tuple(FOLDERS)
WIDTH = 250  # of the paper's input; published are 4288x2848
# the least covered fraction of a pixel that is causal. Lesions are a pixel or less at
# that width: any part counts. The optic disc is large: half a pixel counts.
LEAST = {'OD': 0.5}


def export_idrid(source: str | Path, root: str | Path) -> Path:
    """Write ``images/IDRiD_01.png``, ``masks/IDRiD_01_MA.png`` ... 250 pixels wide, and
    ``labels.csv`` (filename, split, label_MA ... of 0 and 1).

    Args:
        source: The published folder ``A. Segmentation`` (IEEE DataPort), or the one
            that it is in.
        root: Folder to make; if it exists, a FileExistsError is raised.

    Raises:
        FileNotFoundError: ``source`` has no images.
        MaskError: A mask does not belong to an image, or cannot be used.
    """
    source = Path(source)
    if source.name == 'A. Segmentation':
        source = source.parent
    masks = IDRiDMasks(data_root=str(source), lesions=KINDS)
    files = sorted(Path(source, masks.images).glob('*/IDRiD_*.jpg'))
    strange = {file.parent.name for file in files} - set(SPLITS)
    if strange or not files:
        raise FileNotFoundError(
            f"'{Path(source, masks.images)}' has {sorted(strange) or 'no images'}: "
            f"expected 'IDRiD_01.jpg' ... in the folders {tuple(SPLITS)}"
        )
    masks.check()
    return write_dataset(
        root,
        ('split', *(f'label_{kind}' for kind in KINDS)),
        (_read(file, masks) for file in files),
    )


def _read(file: Path, masks: IDRiDMasks) -> tuple:
    with open_as_stored(file) as opened:
        width, height = opened.size
        small = (WIDTH, round(height * WIDTH / width))
        image = np.asarray(opened.convert('RGB').resize(small, Image.Resampling.BOX))
    record = masks(dict(img_path=str(file), ori_shape=(height, width)))
    planes = {}
    for label, plane in [] if record is None else zip(record.classes, record.mask):
        kind = KINDS[label]
        covered = resize_mask(torch.from_numpy(plane).float(), small[::-1]).numpy()
        least = LEAST.get(kind, np.finfo(np.float32).tiny)
        planes[f'masks/{file.stem}_{kind}.png'] = covered >= least
    labels = [int(f'masks/{file.stem}_{kind}.png' in planes) for kind in KINDS]
    return (f'images/{file.stem}.png', image, planes, SPLITS[file.parent.name], *labels)
