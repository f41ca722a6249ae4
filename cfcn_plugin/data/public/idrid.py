"""IDRiD, part A: fundus images and lesion masks at a size that trains."""
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cfcn_plugin.functional import resize_mask
from cfcn_plugin.masks.idrid import FOLDERS, IDRiDMasks

from .new_folder import new_folder, save_image, write_table

SPLITS = {'a. Training Set': 'train', 'b. Testing Set': 'test'}
KINDS = tuple(FOLDERS)
WIDTH = 250  # of the paper's input; published are 4288x2848
# lesions are a pixel or less at that width: any part of one is lesion. The optic disc
# is large: what it covers by half.
LEAST = {'OD': 0.5}


def export_idrid(source: str | Path, root: str | Path) -> Path:
    """Write ``images/IDRiD_01.png``, ``masks/IDRiD_01_MA.png`` ... 250 pixels wide, and
    ``labels.csv`` (filename, split, label_MA ... of 0 and 1).

    Args:
        source: The published folder ``A. Segmentation`` (IEEE DataPort), or the one
            that it is in.
        root: Folder to make. It must not exist.

    Returns:
        ``root``.

    Raises:
        FileExistsError: ``root`` exists.
        FileNotFoundError: ``source`` has no images.
        MaskError: A mask is no mask of its image.
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
            f"expected 'IDRiD_01.jpg' ... in the folders {tuple(SPLITS)}")
    masks.check()
    with new_folder(root) as folder:
        rows = [_export(file, masks, folder) for file in files]
        write_table(folder / 'labels.csv',
                    ('filename', 'split', *(f'label_{kind}' for kind in KINDS)), rows)
    return Path(root)


def _export(file: Path, masks: IDRiDMasks, folder: Path) -> tuple:
    """Image and masks of a file, and its line of the table."""
    with Image.open(file) as opened:
        width, height = opened.size
        small = (WIDTH, round(height * WIDTH / width))
        image = np.asarray(opened.convert('RGB').resize(
            small, Image.Resampling.BOX))
    name = f'images/{file.stem}.png'
    save_image(folder / name, image)
    record = masks(dict(img_path=str(file), ori_shape=(height, width)))
    planes = {} if record is None else dict(zip(record.classes.tolist(), record.mask))
    for label, plane in planes.items():
        kind = KINDS[label]
        share = resize_mask(torch.from_numpy(plane).float(), small[::-1]).numpy()
        least = LEAST.get(kind, np.finfo(np.float32).tiny)
        save_image(folder / f'masks/{file.stem}_{kind}.png',
                     (share >= least) * np.uint8(255))
    labels = [int(label in planes) for label in range(len(KINDS))]
    return name, SPLITS[file.parent.name], *labels
