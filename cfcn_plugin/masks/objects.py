"""Annotated objects with categories: which are causal, and for which class."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from cfcn_plugin.options import check_choice, check_names

from .base import MaskRecord, class_record
from .errors import MaskError

# option of crowds and difficult objects -> `ignored` of Annotated
IGNORED = dict(ignore=True, causal=False, skip=None)
OBJECTS = ('all', 'per_class', 'label')
LABEL_MISSING = ('error', 'empty')


class Annotated(NamedTuple):
    """One object of an image.

    Attributes:
        category: Its category's name.
        outline: The source's input for rasterising the object.
        ignored: Whether pixels of this object alone are neither cause nor context.
            None: the object is left out.
    """

    category: str
    outline: Any
    ignored: bool | None = False


class ObjectChoice:
    """Makes an image's mask from its annotated objects.

    A category is COCO's category, LabelMe's label, VOC's class or YOLO's class. If no
    object of an image is chosen, the mask is empty.

    Args:
        objects: ``'all'``: one mask of all objects. ``'per_class'``: one mask for each
            class in the image, (K, H, W). ``'label'``: one mask of the objects with
            the class of the image's ``gt_label`` (with any of several labels).
        classes: The class of each category: the data set's class names in the order of
            labels, or ``{category: label}``. Several categories may have the same
            class. Required by ``'per_class'`` and ``'label'``.
        categories: With ``'all'``: only objects of these categories.
        ignore: Categories that mean "unknown". Their pixels are ignored, also
            where they overlap with another object.
        label_missing: For ``'label'``, the handling of an image that has objects, but
            no object of its label: ``'error'``, or ``'empty'`` for an empty mask
            (see ``empty`` of LoadActivationMask).
    """

    def __init__(
        self,
        objects: str = 'all',
        classes: Sequence[str] | dict[str, int] | None = None,
        categories: Sequence[str] | None = None,
        ignore: Sequence[str] = (),
        label_missing: str = 'error',
    ):
        check_choice('objects', objects, OBJECTS)
        check_choice('label_missing', label_missing, LABEL_MISSING)
        for name, value in dict(
            classes=classes, categories=categories, ignore=ignore or None
        ).items():
            check_names(name, value)
            if value is not None and not value:
                raise ValueError(f'`{name}` must name at least one, got none')
        if objects == 'all' and classes is not None:
            raise ValueError(
                "`classes` are for objects='per_class' or 'label', and "
                "objects='all' makes one mask of all objects"
            )
        if objects != 'all' and classes is None:
            raise ValueError(
                f'objects={objects!r} needs `classes`: the class names in '
                'the order of labels, or {category: label}'
            )
        if objects != 'all' and categories is not None:
            raise ValueError(
                "`categories` is for objects='all', got "
                f'objects={objects!r}: use `classes`'
            )
        if classes is not None and not isinstance(classes, dict):
            classes = {name: label for label, name in enumerate(classes)}
        for name, label in (classes or {}).items():
            if type(label) is not int or label < 0:
                raise ValueError(
                    '`classes` must give each category a label, a whole '
                    f'number from 0, got {label!r} for {name!r}'
                )
        self.option = 'categories' if objects == 'all' else 'classes'
        asked = set((categories if objects == 'all' else classes) or ())
        if asked & set(ignore):
            raise ValueError(
                f'`{self.option}` and `ignore` both name {_join(asked & set(ignore))}'
            )
        self.objects = objects
        self.classes = classes
        self.asked = asked
        self.ignore = set(ignore)
        self.option_categories = self.asked | self.ignore  # all in the options
        self.label_missing = label_missing

    def wants(self, category) -> bool:
        """Whether an object of this category can change a mask.

        The geometry of an object that is not wanted is not read.
        """
        return not self.asked or (
            isinstance(category, str) and category in self.option_categories
        )

    def check(self, known: Collection[str]) -> None:
        """Raise a MaskError if an option names a category that no file declares."""
        strange = self.option_categories - set(known)
        if strange:
            option = 'ignore' if strange & self.ignore else self.option
            raise MaskError(
                f'no category {_join(strange)} of `{option}`, there are '
                f'{_join(known)}. Correct the names, or give `classes` as '
                '{category: label} with these categories'
            )

    def check_seen(self, seen: Collection[str]) -> None:
        """Raise a MaskError if no category of the options occurs in a file.

        One of several categories may be absent. ``check_case`` also checks names.
        """
        self.check_case(seen)
        if self.asked and not self.asked & set(seen):
            self.check(seen)

    def check_case(self, seen: Iterable[str]) -> None:
        """Raise a MaskError if a name differs from an option's in case or spaces."""
        meant = {name.strip().casefold(): name for name in self.option_categories}
        for name in seen:
            like = meant.get(name.strip().casefold(), name)
            if like != name and name not in self.option_categories:
                raise MaskError(
                    f'category {name!r} is not {like!r}: correct one of '
                    'them, or name both'
                )

    def record(
        self,
        found: Iterable[Annotated],
        draw: Callable[[list, tuple[int, int]], np.ndarray],
        results: dict,
        file: str,
        void: np.ndarray | None = None,
    ) -> MaskRecord:
        """The image's mask.

        Args:
            found: The image's objects.
            draw: Called with outlines and (H, W), returns the union of the outlines,
                uint8 {0, 1}, (H, W).
            results: The sample's dict; ``'label'`` reads its ``gt_label``.
            file: Name of the file, for the record.
            void: (H, W), true where the annotators marked pixels as unknown.

        Raises:
            MaskError: No object has the image's label, or the image has no label.
        """
        found = [one for one in found if one.ignored is not None]
        shape = tuple(results['ori_shape'][:2])
        causal = self._planes((one for one in found if not one.ignored), results)
        unsure = self._planes((one for one in found if one.ignored), results)
        if (
            self.objects == 'label'
            and found
            and not (causal or unsure)
            and self.label_missing == 'error'
        ):
            raise MaskError(self._no_label(found, results))
        planes = {label: draw(outlines, shape) for label, outlines in causal.items()}
        ignored = [] if void is None else [void.astype(np.uint8)]
        if unsure:
            ignored.append(draw([*chain(*unsure.values())], shape))
            for plane in planes.values():  # a causal object overrides an ignored one
                ignored[-1] &= 1 - plane
        unknown = [one.outline for one in found if one.category in self.ignore]
        if unknown:
            ignored.append(draw(unknown, shape))
        ignore = np.bitwise_or.reduce(ignored) if ignored else None
        if self.objects == 'per_class':
            return class_record(planes, shape, file, ignore)
        mask = planes.get(None, np.zeros(shape, np.uint8))
        return MaskRecord(mask, file, ignore=ignore)

    def _planes(
        self, found: Iterable[Annotated], results: dict
    ) -> dict[int | None, list]:
        """{class: outlines} of each plane; the class is None for a single mask."""
        planes = defaultdict(list)
        labels = self._labels(results) if self.objects == 'label' else ()
        for one in found:
            chosen = not self.asked or one.category in self.asked
            if not chosen or one.category in self.ignore:
                continue
            label = None if self.classes is None else self.classes[one.category]
            if self.objects != 'label':
                planes[label].append(one.outline)
            elif label in labels:
                planes[None].append(one.outline)
        return planes

    @staticmethod
    def _labels(results: dict) -> list[int]:
        if results.get('gt_label') is None:
            raise MaskError(
                f"image '{results.get('img_path')}' has no `gt_label`, which "
                "objects='label' needs: use a dataset with labels, or objects='all'"
            )
        return np.atleast_1d(results['gt_label']).tolist()

    def _no_label(self, found: list[Annotated], results: dict) -> str:
        labels = self._labels(results)
        names = [name for name, label in self.classes.items() if label in labels]
        return (
            f"no object of the image's label {labels} ({_join(names)}), only of "
            f'{_join({one.category for one in found})}: annotate it, correct '
            "`classes`, or take such masks as empty with `label_missing='empty'`"
        )


def _join(names: Iterable[str]) -> str:
    names = sorted(map(str, names))
    return ', '.join(names[:10]) + (' ...' if len(names) > 10 else '') or 'none'
