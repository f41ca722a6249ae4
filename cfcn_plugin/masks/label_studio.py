"""Masks drawn with Label Studio, one JSON export for all images."""

import logging
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from cfcn_plugin.options import check_choice

from .base import MaskRecord
from .deferred import read_or_defer
from .errors import MaskError, at, expect, is_list_of
from .index import IndexedMasks
from .io.files import read_json
from .io.label_studio_regions import (
    draw_regions,
    find_areas,
    pack_brush,
    read_labels,
    read_region,
)
from .io.names import image_name
from .io.numbers import is_whole
from .io.stored_names import is_image
from .objects import Annotated, ObjectChoice

SEVERAL = ('error', 'union')
UPLOAD = '/data/upload/'
LOCAL = '/data/local-files/'
HASH = re.compile('[0-9a-f]{8}-')  # the prefix of an upload
FOLDER_END = re.compile(r'[/\\]|\?\w+=')  # before a file's name in a path or URL


class Seen:
    """What the tasks of an export have.

    Attributes:
        labels: Labels of areas.
        tags: ``to_name`` of areas, the tag of the labelling interface with the image.
        other_images: Fields of annotated tasks with other images.
        key_points: The number of key points.
    """

    def __init__(self):
        self.labels, self.tags, self.other_images = set(), set(), set()
        self.key_points = 0

    def add_other_images(self, data: dict, image: str) -> None:
        own = set(_image_names(data[image]))
        self.other_images.update(
            field
            for field, value in data.items()
            if not own.issuperset(_image_names(value))
        )

    def check_tag(self, to_name: str | None, image: str) -> None:
        """Raise a MaskError if the regions may be those of several images."""
        tags = sorted(self.tags - {None})
        if to_name is not None and tags and to_name not in tags:
            raise MaskError(f'no region has to_name={to_name!r}, there are {tags}')
        if to_name is None and (
            len(tags) > 1 or (self.other_images and self.tags != {image})
        ):
            fields = sorted({image, *self.other_images})
            raise MaskError(
                f'tasks with several images: fields {fields}, regions with to_name '
                f"{tags}: name the one of '{image}' with `to_name`"
            )


class LabelStudioMasks(IndexedMasks):
    """The areas of Label Studio's export "JSON" (not "JSON-MIN").

    Areas are brushes, polygons, rectangles, ellipses. Key points are left out.

    The image name of an upload is the file's name without Label Studio's hash prefix.
    The image name for local storage and URLs is the part after ``prefix``.

    Args:
        ann_file: The export, below ``data_root``.
        images: Folder below ``data_root`` that image names are relative to.
        data_root: The dataset's root.
        prefix: The beginning of tasks' paths or URLs, before the name below
            ``images``, such as ``'s3://bucket/'``.
        image: The field of a task's ``data`` with the image, or with a list of images.
        to_name: The tag of the labelling interface that shows the image; only regions
            of this tag are read. Required if tasks have several images.
        several: Handling of several annotations of one task without a ground truth:
            ``'error'``, or ``'union'`` of the annotations.
        **choice: Options of :class:`.ObjectChoice`. A region's labels are its
            categories; the category of a region without a label is ``''``.
    """

    entry = 'task with an annotation'

    def __init__(
        self,
        ann_file: str,
        images: str = '',
        data_root: str = '',
        prefix: str = '',
        image: str = 'image',
        several: str = 'error',
        to_name: str | None = None,
        **choice,
    ):
        check_choice('several', several, SEVERAL)
        self.choice = ObjectChoice(**choice)
        self.images = images
        self.prefix = prefix
        self.image = image
        self.several = several
        self.to_name = to_name
        super().__init__(ann_file, data_root)

    def read(self, records: list, file: str, results: dict) -> MaskRecord:
        found = [
            Annotated(label, (place, region))
            for place, labels, region in records[0]
            for label in labels
        ]
        return self.choice.record(found, draw_regions, results, file)

    def records(self) -> Iterator[tuple[str, list[tuple] | MaskError]]:
        seen, keys, broken = Seen(), set(), False
        for number, task in enumerate(read_json(self.file, list, pack_brush)):
            place = f'task {number}'
            with at(place):
                annotations = _read_annotations(task)
                if not annotations:
                    continue
                images = self._read_images(task.get('data'))
            areas = read_or_defer(place, self._read_areas, annotations, seen)
            if areas:
                seen.add_other_images(task['data'], self.image)
            for item, key in enumerate(images):
                record = _areas_of(areas, item, len(images), place)
                if key in keys:
                    record = MaskError(f"{place}: '{key}' has two tasks: remove one")
                keys.add(key)
                broken |= isinstance(record, MaskError)
                yield key, record
        seen.check_tag(self.to_name, self.image)
        if seen.key_points:
            logging.getLogger(__name__).warning(
                f"'{self.file}': {seen.key_points} key points are left out, since key "
                'points have no area'
            )
        # the labels of a broken task are unknown
        check = self.choice.check_case if broken else self.choice.check_seen
        if keys:
            check(seen.labels)

    def _read_areas(self, annotations: list[dict], seen: Seen) -> list[tuple]:
        """(number of the image, area) of a task; an area may be a MaskError."""
        if len(annotations) > 1 and self.several == 'error':
            raise MaskError(
                f'{len(annotations)} annotations, expected one: mark one as the ground '
                "truth, or take all with `several='union'`"
            )
        areas = []
        for one in annotations:
            found, key_points = find_areas(one.get('result'))
            seen.key_points += key_points
            for number, result in found.items():
                tag = result.get('to_name')
                seen.tags.add(tag if tag is None else str(tag))
                if self.to_name in (None, tag):
                    areas.append(
                        (
                            result.get('item_index') or 0,
                            read_or_defer(
                                f'result {number}',
                                self._read_area,
                                number,
                                result,
                                seen,
                            ),
                        )
                    )
        return areas

    def _read_area(self, number: int, result: dict, seen: Seen) -> tuple:
        """Place, labels, and region; no region if no option asks for the labels."""
        labels = read_labels(result)
        seen.labels.update(labels)
        wanted = any(map(self.choice.wants, labels))
        return f'result {number}', labels, read_region(result) if wanted else None

    def _read_images(self, data) -> list[str]:
        """Keys of a task's images; several if the field of the image is a list."""
        given = data.get(self.image) if isinstance(data, dict) else None
        paths = given if isinstance(given, list) and given else [given]
        expect(
            is_list_of(str, paths),
            f"an image in data['{self.image}']",
            data,
            ': name the field with `image`',
        )
        return list(map(self._read_key, paths))

    def _read_key(self, path: str) -> str:
        try:
            url = urlsplit(path)
        except ValueError as error:
            raise MaskError(f'image {path!r} is no path or URL ({error})') from None
        if url.path.startswith(UPLOAD):
            name = unquote(PurePosixPath(url.path).name)
            name = name[HASH.match(name).end() :] if HASH.match(name) else name
        else:
            name = (
                parse_qs(url.query).get('d', [''])[0]
                if url.path.startswith(LOCAL)
                else unquote(path)
            )
            if not name.startswith(self.prefix) or '://' in name[len(self.prefix) :]:
                raise MaskError(
                    f"image '{name}' does not begin with prefix={self.prefix!r}: set "
                    '`prefix` to the part before the name below `images`'
                )
            name = name[len(self.prefix) :]
        return image_name(name, self.images)


def _read_annotations(task) -> list[dict]:
    """A task's annotations: the ground truth, or all that are not skipped."""
    annotations = task.get('annotations') if isinstance(task, dict) else None
    expect(
        is_list_of(dict, annotations),
        'an object with `annotations`',
        task,
        '; export from Label Studio as "JSON"',
    )
    done = [a for a in annotations if not a.get('was_cancelled')]
    return [a for a in done if a.get('ground_truth')] or done


def _image_names(value) -> Iterator[str]:
    """Names of image files in a text, or in the texts of a list or an object."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            # a URL may have a query after the name, or the name in its query
            for path in (one, one.split('?')[0]):
                if is_image(path):
                    yield FOLDER_END.split(path)[-1]
                    break
        elif isinstance(one, dict | list):
            left.extend(one.values() if isinstance(one, dict) else one)


def _areas_of(
    areas: list[tuple] | MaskError, item: int, count: int, place: str
) -> list[tuple] | MaskError:
    """The areas of one of ``count`` images of a task, or the first error."""
    if isinstance(areas, MaskError):
        return areas
    for number, area in areas:
        if not is_whole(number) or number >= count:
            return MaskError(
                f'{place}: item_index {number!r} of a region, and the '
                f'task has {count} images'
            )
        if number == item and isinstance(area, MaskError):
            at(place).mark(area)
            return area
    return [area for number, area in areas if number == item]
