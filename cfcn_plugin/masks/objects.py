"""Annotated objects with categories: which are causal, and for which class."""
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .base import MaskError, MaskRecord

OBJECTS = ('all', 'per_class', 'label')
ABSENT = ('error', 'unguided')


class Annotated(NamedTuple):
    """One object of an image.

    Attributes:
        category: Its category's name.
        outline: Whatever the source draws it from.
        ignored: Its pixels are neither cause nor context.
    """
    category: str
    outline: Any
    ignored: bool = False


class ObjectChoice:
    """Makes an image's mask from its objects; each source with categories has one.

    Args:
        objects: ``'all'``: one mask of all of them. ``'per_class'``: one mask for each
            class that is in the image, (K, H, W). ``'label'``: one mask of those
            whose class is the image's own ``gt_label`` (any of several labels).
        classes: What a category is as a class: the data set's class names in the
            order of its labels, or ``{category: label}``; two categories may be one
            class. ``'per_class'`` and ``'label'`` need it.
        categories: With ``'all'``: only objects of these categories.
        label_missing: With ``'label'``, an image with objects, none of them of its
            label: ``'error'``, or ``'unguided'``, as an image without a mask, which
            LoadActivationMask's ``missing`` decides on.
    """

    def __init__(self,
                 objects: str = 'all',
                 classes: Sequence[str] | dict[str, int] | None = None,
                 categories: Sequence[str] | None = None,
                 label_missing: str = 'error'):
        for name, value, known in (('objects', objects, OBJECTS),
                                   ('label_missing', label_missing, ABSENT)):
            if value not in known:
                raise ValueError(f'`{name}` must be one of {known}, got {value!r}')
        for name, value in (('classes', classes), ('categories', categories)):
            if isinstance(value, str):
                raise TypeError(f'`{name}` must be several names, got {value!r}')
        if objects == 'all' and classes is not None:
            raise ValueError("`classes` are for objects='per_class' or 'label', and "
                             "objects='all' asks for one mask of all objects")
        if objects != 'all' and classes is None:
            raise ValueError(f'objects={objects!r} needs `classes`: the class names in '
                             'the order of labels, or {category: label}')
        if objects != 'all' and categories is not None:
            raise ValueError("`categories` is for objects='all', got "
                             f'objects={objects!r}: `classes` chooses there')
        if classes is not None and not isinstance(classes, dict):
            classes = {name: label for label, name in enumerate(classes)}
        self.objects = objects
        self.classes = classes
        self.categories = categories
        self.label_missing = label_missing

    def check(self, known: Collection[str], file: str, declared: bool = True) -> None:
        """Compare with the categories of an annotation file.

        Args:
            known: They.
            file: For the message.
            declared: Whether the file lists all its categories. If they are only those
                that happen to occur, some may be missing, but not all, and none that
                differs from one in case alone.

        Raises:
            MaskError: A category that is asked for is not among them.
        """
        asked = set((self.categories if self.objects == 'all' else self.classes) or ())
        strange = asked - set(known)
        if not declared and strange != asked:
            folded = {name.casefold() for name in set(known) - asked}
            strange = {name for name in strange if name.casefold() in folded}
        if strange:
            name = 'categories' if self.objects == 'all' else 'classes'
            raise MaskError(
                f"'{file}' has no category {_some(strange)} of `{name}`: it has "
                f'{_some(known)}. Correct the names; `classes` can be '
                '{category: label} of those that are there')

    def record(self,
               found: Iterable[Annotated],
               draw: Callable[[list], np.ndarray],
               results: dict,
               file: str,
               void: np.ndarray | None = None) -> MaskRecord | None:
        """The image's mask, or None if it has no object that is asked for.

        Args:
            found: The image's objects.
            draw: Makes the union of some outlines, uint8 {0, 1}, (H, W).
            results: The sample's dict; ``'label'`` reads its ``gt_label``.
            file: For messages, and the record's own.
            void: (H, W), true where the annotators said "unknown".

        Raises:
            MaskError: No object is of the image's label, or it has none.
        """
        found = list(found)
        causal = self._planes([one for one in found if not one.ignored], results)
        if not causal:
            if self.objects == 'label' and found and self.label_missing == 'error':
                raise MaskError(self._label_missing(found, results, file))
            return None
        planes = {label: draw(outlines) for label, outlines in causal.items()}
        mask, classes = planes.get(None), None
        if mask is None:
            classes = np.array(sorted(planes), np.int64)
            mask = np.stack([planes[label] for label in sorted(planes)])
        ignored = self._planes([one for one in found if one.ignored], results)
        ignore = None if void is None else void.astype(np.uint8)
        if ignored:
            unsure = draw([one for many in ignored.values() for one in many])
            # where another object is drawn, that one's word counts
            unsure &= 1 - mask.reshape(-1, *unsure.shape).max(0)
            ignore = unsure if ignore is None else ignore | unsure
        return MaskRecord(mask, file, classes, ignore)

    def _planes(self, found: list[Annotated], results: dict) -> dict[int | None, list]:
        """Outlines of each plane by its class, None where there is one mask."""
        planes = defaultdict(list)
        labels = self._labels(results) if self.objects == 'label' else ()
        for one in found:
            if self.objects == 'all':
                if self.categories is None or one.category in self.categories:
                    planes[None].append(one.outline)
            elif one.category in self.classes:
                label = self.classes[one.category]
                if self.objects == 'per_class':
                    planes[label].append(one.outline)
                elif label in labels:
                    planes[None].append(one.outline)
        return planes

    @staticmethod
    def _labels(results: dict) -> list[int]:
        if results.get('gt_label') is None:
            raise MaskError(
                f"image '{results.get('img_path')}' has no `gt_label`, which "
                "objects='label' looks for: use a dataset with labels, or "
                "objects='all'")
        return np.atleast_1d(results['gt_label']).tolist()

    def _label_missing(self, found: list[Annotated], results: dict, file: str) -> str:
        labels = self._labels(results)
        names = [name for name, label in self.classes.items() if label in labels]
        return (f"'{file}': no object of the image's label {labels} ({_some(names)}), "
                f'only of {_some({one.category for one in found})}: annotate it, '
                "correct `classes`, or declare such images unguided with "
                "`label_missing='unguided'`")


def _some(names: Iterable[str]) -> str:
    names = sorted(map(str, names))
    return ', '.join(names[:10]) + (' ...' if len(names) > 10 else '') or 'none'
