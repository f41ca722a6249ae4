"""A flat folder of masks beside folders of images: a mask is found by its stem."""

from collections.abc import Iterable

from .io.stored_names import is_image, normal_name, normal_stem


def images_by_stem(masks: Iterable[str], images: Iterable[str]) -> dict[str, list[str]]:
    """The images in inner folders that have the stem of a mask in a flat folder.

    Args:
        masks: Names of masks without their ending; a mask in an inner folder is none of
            a flat folder.
        images: Paths of files below the folder of images.

    Returns:
        {mask: paths of images without their ending, sorted}, in normal form. A mask
        that has an image at the same place is left out; several images are ambiguous.
    """
    flat = {normal_name(mask) for mask in masks if '/' not in mask}
    found = {}
    for path in images if flat else ():
        stem = normal_stem(path)
        name = stem.rpartition('/')[2]
        if name in flat and is_image(path):
            found.setdefault(name, set()).add(stem)
    return {name: sorted(stems) for name, stems in found.items() if name not in stems}
