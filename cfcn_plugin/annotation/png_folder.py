"""A folder of PNG masks for PNGMasks, with the layout of a folder of images."""

import io
import os
import posixpath
from collections.abc import Collection, Iterable
from colorsys import hsv_to_rgb
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from cfcn_plugin.atomic_write import atomic_write
from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.io.stored_names import IMAGES, is_image, normal_name

GOLDEN_RATIO = 0.618034


def list_images(folder: str | Path, leave_out: str | Path | None = None) -> list[str]:
    """Names of the images below a folder, sorted.

    Files whose name begins with a dot are left out.

    Args:
        folder: The folder, with all its subfolders.
        leave_out: A subfolder that is left out, such as the folder of masks.

    Returns:
        Paths below ``folder``, with ``/``.

    Raises:
        FileNotFoundError: The folder does not exist, or has no image.
    """
    root = Path(folder)
    if not root.is_dir():
        raise FileNotFoundError(f"folder of images '{root}' does not exist")
    out = None if leave_out is None else Path(leave_out).resolve()
    names = []
    for where, folders, files in os.walk(root):
        folders[:] = [f for f in folders if Path(where, f).resolve() != out]
        names += [
            Path(where, file).relative_to(root).as_posix()
            for file in files
            if is_image(file)
        ]
    if not names:
        raise FileNotFoundError(
            f"folder '{root}' holds no image: expected files "
            f'that end in {", ".join(IMAGES)}'
        )
    return sorted(names)


def mask_name(name: str) -> str:
    """The mask's name for an image's name: ``a/b.png`` for ``a/b.jpg``."""
    return PurePosixPath(name).with_suffix('.png').as_posix()


def check_distinct_masks(names: Iterable[str]) -> None:
    """Check that no two images would have the same mask file.

    Raises:
        MaskError: Two names differ only in their ending, or in Unicode's normal form.
    """
    seen = {}
    for name in names:
        other = seen.setdefault(normal_name(mask_name(name)), name)
        if other != name:
            show = ascii if normal_name(name) == normal_name(other) else repr
            raise MaskError(
                f'images {show(other)} and {show(name)} would have the same mask '
                f"'{mask_name(name)}': rename one of them"
            )


def check_masks_apart(
    names: Collection[str], images: str | Path, masks: str | Path
) -> None:
    """Check that no mask file would replace an image.

    Args:
        names: Names of the images, paths below ``images``.
        images, masks: Folders.

    Raises:
        MaskError: The mask of one image would replace an image.
    """
    known = set(names)
    inner = os.path.relpath(os.path.realpath(masks), os.path.realpath(images))
    for name in names:
        file = posixpath.normpath(f'{inner}/{mask_name(name)}')
        if file in known:
            raise MaskError(
                f"the mask of image '{name}' would replace image '{file}': "
                'give another folder for the masks'
            )


def write_png(
    path: Path, values: np.ndarray, palette: bool = False, one_bit: bool = False
) -> None:
    """Write a mask atomically.

    Args:
        path: The file; missing folders are made. An existing file is replaced.
        values: uint8 (H, W).
        palette: Whether to add a palette that displays each value in a colour.
        one_bit: Whether to use 1 bit per pixel if all values are 0 or 255. Training
            reads such a file in half the time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    one_bit = one_bit and not ((values != 0) & (values != 255)).any()
    image = Image.fromarray(values == 255 if one_bit else values)
    if palette:
        image.putpalette(_palette())
    content = io.BytesIO()
    image.save(content, format='PNG')
    atomic_write(path, content.getvalue(), sync=False)


def _palette() -> list[int]:
    """Black for 0, white for 255, and distinct hues for adjacent values."""
    hues = (0.1 + value * GOLDEN_RATIO % 1 for value in range(1, 255))
    between = [round(255 * part) for hue in hues for part in hsv_to_rgb(hue, 0.8, 1)]
    return [0, 0, 0, *between, 255, 255, 255]


def png_masks_config(
    images: str | Path,
    masks: str | Path,
    data_root: str | Path | None = None,
    **options,
) -> dict:
    """The config of the source that reads a folder of masks.

    Args:
        images: Folder of images.
        masks: Folder of masks with the same layout.
        data_root: The data set's root. If None, or if a folder is outside the root:
            the deepest common parent of both folders.
        **options: More arguments of PNGMasks.
    """
    images, masks = Path(images).absolute(), Path(masks).absolute()
    root = Path(os.path.commonpath([images, masks]))
    if data_root is not None and root.is_relative_to(Path(data_root).absolute()):
        root = Path(data_root).absolute()
    inner = images.relative_to(root).as_posix()
    shown = Path(os.path.relpath(root))  # preferred if short
    return dict(
        type='PNGMasks',
        data_root=str(root if shown.parts[:1] == ('..',) else shown),
        images='' if inner == '.' else inner,
        masks=masks.relative_to(root).as_posix(),
        **options,
    )
