"""The keys of a list of images, as names below the folder of the images."""

import os
from collections.abc import Iterable
from pathlib import Path

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.io.stored_names import stored_name
from cfcn_plugin.printable import printable


def names_below(
    images: str | Path, keys: Iterable[str], data_root: str | Path | None = None
) -> tuple[Path, list[str]]:
    """The data root of the keys of a list, and the images' names.

    Args:
        images: Folder of images.
        keys: Paths below the data root, as ``tools/choose_guided.py`` writes them.
            ``..`` is resolved.
        data_root: The root. None: the deepest folder, among ``images`` and its parents,
            below which all keys exist.

    Returns:
        The root, and the images as paths below ``images``.

    Raises:
        FileNotFoundError: No such root exists.
        MaskError: A key's image is not below ``images``.
    """
    keys, folder = list(keys), Path(os.path.abspath(images))
    roots = [folder, *folder.parents] if data_root is None else [Path(data_root)]
    root = next(
        (
            r
            for r in roots
            if all(Path(r, stored_name(r, key)).is_file() for key in keys)
        ),
        None,
    )
    if root is None:
        where = f"'{images}' or its parents" if data_root is None else f"'{data_root}'"
        absent = next(k for k in keys if not Path(roots[0], k).is_file())
        raise FileNotFoundError(
            f'the images of the list do not exist below {where}, for example '
            f"'{printable(absent)}': set --data-root to the folder that the paths are "
            'relative to'
        )
    paths = [Path(os.path.abspath(Path(root, stored_name(root, key)))) for key in keys]
    for key, path in zip(keys, paths):
        if not path.is_relative_to(folder):
            raise MaskError(
                f"'{key}' of the list is not below '{images}': give the "
                'folder that contains all images of the list'
            )
    return root, [path.relative_to(folder).as_posix() for path in paths]
