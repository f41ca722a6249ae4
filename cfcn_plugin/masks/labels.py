"""Labels that annotators gave to shapes: which are causal, and which are classes."""
from collections.abc import Iterable

import numpy as np

from .base import MaskError, MaskRecord, class_record


class Labels:
    """What the labels of an annotation tool mean.

    Args:
        labels: None: whatever has a label is causal. A list: these labels are causal,
            others are context. A dict label -> class: one mask a class.
        ignore: Labels that mean "nobody knows".

    Raises:
        TypeError: They are something else.
        ValueError: A label is both, or there is none.
    """

    def __init__(self, labels: list[str] | dict[str, int] | None, ignore: list[str]):
        if isinstance(labels, str) or isinstance(ignore, str):
            raise TypeError('`labels` and `ignore` must be lists, or `labels` a dict '
                            f'label -> class, got {labels!r} and {ignore!r}')
        if labels is not None and not labels:
            raise ValueError('`labels` must name at least one label, got none')
        self.classes = dict(labels) if isinstance(labels, dict) else None
        self.causal = None if labels is None else set(labels)
        self.ignore = set(ignore)
        both = self.ignore & (self.causal or set())
        if both:
            raise ValueError(f'`labels` and `ignore` share {sorted(both)}')
        self.named = self.ignore | (self.causal or set())

    def wants(self, label: str, where: str) -> bool:
        """Whether a shape with this label says anything but context.

        Raises:
            MaskError: It differs only in case or spaces from a label that does.
        """
        if label in self.named:
            return True
        for known in self.named:
            if known.strip().casefold() == label.strip().casefold():
                raise MaskError(f'{where}: label {label!r} is not {known!r}: correct '
                                'it, or add it to `labels` or `ignore`')
        return self.causal is None

    def check_known(self, known: Iterable[str], where: str) -> None:
        """Refuse options that name a label which no one ever gave.

        Raises:
            MaskError: There is one.
        """
        strange = self.named - set(known)
        if strange:
            raise MaskError(
                f'{where} has no label {", ".join(map(repr, sorted(strange)))}, its '
                f'labels are {sorted(known)[:20]}: correct `labels` or `ignore`')

    def record(self, drawn: Iterable[tuple[str, np.ndarray]], shape: tuple[int, int],
               file: str) -> MaskRecord:
        """One record of (label, mask) pairs, all wanted; equal labels add up."""
        mask, planes, ignore = np.zeros(shape, np.uint8), {}, None
        for label, area in drawn:
            if label in self.ignore:
                ignore = area if ignore is None else ignore | area
            elif self.classes is None:
                mask |= area
            else:
                number = self.classes[label]
                planes[number] = planes.get(number, 0) | area
        if self.classes is not None:
            return class_record(planes, shape, file, ignore)
        return MaskRecord(mask, file, ignore=ignore)
