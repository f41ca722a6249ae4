"""Masks drawn with Label Studio, one JSON export for many pictures."""
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from mmpretrain.registry import TASK_UTILS

from .base import MaskError, MaskRecord, MaskSource, below, unknown
from .json_file import read_json
from .label_studio_regions import draw_region, read_regions
from .labels import Labels

SEVERAL = ('error', 'union')
UPLOAD = '/data/upload/'
LOCAL = '/data/local-files/'
HASH = 9  # an upload's name begins with eight hexadecimal digits and a hyphen


@TASK_UTILS.register_module()
class LabelStudioMasks(MaskSource):
    """Brushes, polygons, rectangles of Label Studio's export "JSON" (not "JSON-MIN").

    Which picture a task is of: for an upload, the file's name without the hash that
    Label Studio puts before it; for local storage and URLs, what follows ``prefix``.

    Args:
        ann_file: The export, below ``data_root``.
        images: Folder of images below ``data_root`` that those names are relative to.
        data_root: The dataset's root.
        prefix: What paths or URLs of tasks begin with, before the name below
            ``images``, such as ``'s3://bucket/'``.
        image: The field of a task's ``data`` that holds its picture.
        labels: None: every region is causal. A list: regions with these labels are,
            others are context. A dict label -> class: one mask a class.
        ignore: Labels that mean "nobody knows".
        several: What several annotations of one task are, when none is marked as the
            ground truth: ``'error'``, or their ``'union'``.
    """

    def __init__(self,
                 ann_file: str,
                 images: str = '',
                 data_root: str = '',
                 prefix: str = '',
                 image: str = 'image',
                 labels: list[str] | dict[str, int] | None = None,
                 ignore: list[str] = (),
                 several: str = 'error'):
        super().__init__(data_root)
        if several not in SEVERAL:
            raise ValueError(f'`several` must be one of {SEVERAL}, got {several!r}')
        self.file = Path(data_root, ann_file)
        self.images = images
        self.prefix = prefix
        self.image = image
        self.labels = Labels(labels, ignore)
        self.several = several
        self.regions: dict[str, list[dict]] = {}
        seen = set()
        for number, task in enumerate(read_json(self.file, list)):
            where = f"'{self.file}', task {number}"
            regions = self._regions(task, where)
            if regions is None:
                continue
            key = self._key(task, where)
            if key in self.regions:
                raise MaskError(f"{where}: '{key}' had a task before: remove one")
            seen.update(label for one in regions for label in one['labels'])
            self.regions[key] = [
                one for one in regions
                if any(self.labels.wants(label, where) for label in one['labels'])]
        if not self.regions:
            raise MaskError(f"'{self.file}' has no task with an annotation")
        if self.labels.causal and not self.labels.causal & seen:  # some may be rare
            self.labels.check_known(seen, f"'{self.file}'")

    def __call__(self, results: dict) -> MaskRecord | None:
        key = self.key(results)
        regions = self.regions.get(key)
        if regions is None:
            return None
        shape = results['ori_shape'][:2]
        file, drawn = f"{self.file}', '{key}", []
        for region in regions:
            area = draw_region(region, shape, file)
            drawn += [(label, area) for label in region['labels']
                      if self.labels.wants(label, f"'{file}'")]
        return self.labels.record(drawn, shape, file)

    def keys(self) -> list[str]:
        return list(self.regions)

    def check(self) -> None:
        root = Path(self.data_root)
        strangers = [key for key in self.regions if not (root / key).is_file()]
        if strangers:
            raise unknown(strangers, 'tasks', f"'{self.file}'")

    def _regions(self, task, where: str) -> list[dict] | None:
        """A task's drawn regions; None if nobody has annotated it."""
        annotations = task.get('annotations') if isinstance(task, dict) else None
        if not isinstance(annotations, list) or not all(
                isinstance(a, dict) for a in annotations):
            raise MaskError(f'{where}: expected an object with `annotations`; export '
                            'from Label Studio as "JSON"')
        done = [a for a in annotations if not a.get('was_cancelled')]
        truth = [a for a in done if a.get('ground_truth')]
        done = truth or done
        if len(done) > 1 and self.several == 'error':
            raise MaskError(
                f'{where} has {len(done)} annotations, expected one: mark one as the '
                "ground truth, or take all with `several='union'`")
        if not done:
            return None
        return [region for one in done
                for region in read_regions(one.get('result'), where)]

    def _key(self, task: dict, where: str) -> str:
        data = task.get('data')
        path = data.get(self.image) if isinstance(data, dict) else None
        if not isinstance(path, str):
            raise MaskError(f"{where}: no picture in data['{self.image}'], got {data}: "
                            'name the field with `image`')
        url = urlsplit(path)
        if url.path.startswith(UPLOAD):
            name = unquote(PurePosixPath(url.path).name)[HASH:]
        else:
            name = parse_qs(url.query).get('d', [''])[0] if url.path.startswith(
                LOCAL) else unquote(path)
            if not name.startswith(self.prefix) or '://' in name[len(self.prefix):]:
                raise MaskError(
                    f"{where}: picture '{name}' does not begin with "
                    f'prefix={self.prefix!r}: say with `prefix` what stands before the '
                    'name below `images`')
            name = name[len(self.prefix):]
        below(Path(self.data_root, self.images), name, where)
        return PurePosixPath(self.images, name).as_posix()
