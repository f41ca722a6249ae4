"""Masks drawn with Label Studio, one JSON export for all images."""
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from .base import MaskError, MaskRecord, at, check_option, expect, is_list_of
from .index import IndexedMasks
from .io.files import read_json
from .io.label_studio_regions import draw_regions, pack_brush, read_regions
from .io.names import image_name
from .objects import Annotated, ObjectChoice

SEVERAL = ('error', 'union')
UPLOAD = '/data/upload/'
LOCAL = '/data/local-files/'
HASH = 9  # length of the prefix of an upload: eight hexadecimal digits and a hyphen


class LabelStudioMasks(IndexedMasks):
    """Brushes, polygons, rectangles of Label Studio's export "JSON" (not "JSON-MIN").

    The image name of an upload is the file's name without Label Studio's hash prefix.
    The image name for local storage and URLs is the part after ``prefix``.

    Args:
        ann_file: The export, below ``data_root``.
        images: Folder below ``data_root`` that image names are relative to.
        data_root: The dataset's root.
        prefix: The beginning of tasks' paths or URLs, before the name below
            ``images``, such as ``'s3://bucket/'``.
        image: The field of a task's ``data`` with the image.
        several: Handling of several annotations of one task without a ground truth:
            ``'error'``, or ``'union'`` of the annotations.
        **choice: Options of :class:`.ObjectChoice`. A region's labels are its
            categories; the category of a region without a label is ``''``.
    """
    entry = 'task with an annotation'

    def __init__(self,
                 ann_file: str,
                 images: str = '',
                 data_root: str = '',
                 prefix: str = '',
                 image: str = 'image',
                 several: str = 'error',
                 **choice):
        check_option('several', several, SEVERAL)
        self.choice = ObjectChoice(**choice)
        self.images = images
        self.prefix = prefix
        self.image = image
        self.several = several
        super().__init__(ann_file, data_root)

    def read(self, records: list, file: str, results: dict) -> MaskRecord:
        found = [Annotated(label, region) for region in records[0]
                 for label in region['labels']]
        return self.choice.record(found, draw_regions, results, file)

    def records(self) -> Iterator[tuple[str, list[dict]]]:
        keys, labels = set(), set()
        for number, task in enumerate(read_json(self.file, list, pack_brush)):
            with at(f'task {number}'):
                regions = self._regions(task)
                if regions is None:
                    continue
                key = self._key(task)
                if key in keys:
                    raise MaskError(f"'{key}' has two tasks: remove one")
                keys.add(key)
                labels.update(label for one in regions for label in one['labels'])
                yield key, regions
        if keys:
            self.choice.check_seen(labels)

    def _regions(self, task) -> list[dict] | None:
        """A task's drawn regions; None if the task has no annotation."""
        annotations = task.get('annotations') if isinstance(task, dict) else None
        expect(is_list_of(dict, annotations), 'an object with `annotations`', task,
               '; export from Label Studio as "JSON"')
        done = [a for a in annotations if not a.get('was_cancelled')]
        truth = [a for a in done if a.get('ground_truth')]
        done = truth or done
        if len(done) > 1 and self.several == 'error':
            raise MaskError(
                f'{len(done)} annotations, expected one: mark one as the ground truth, '
                "or take all with `several='union'`")
        if not done:
            return None
        return [region for one in done for region in read_regions(one.get('result'))]

    def _key(self, task: dict) -> str:
        data = task.get('data')
        path = data.get(self.image) if isinstance(data, dict) else None
        expect(isinstance(path, str), f"an image in data['{self.image}']", data,
               ': name the field with `image`')
        url = urlsplit(path)
        if url.path.startswith(UPLOAD):
            name = unquote(PurePosixPath(url.path).name)[HASH:]
        else:
            name = parse_qs(url.query).get('d', [''])[0] if url.path.startswith(
                LOCAL) else unquote(path)
            if not name.startswith(self.prefix) or '://' in name[len(self.prefix):]:
                raise MaskError(
                    f"image '{name}' does not begin with prefix={self.prefix!r}: set "
                    '`prefix` to the part before the name below `images`')
            name = name[len(self.prefix):]
        return image_name(name, self.images)
