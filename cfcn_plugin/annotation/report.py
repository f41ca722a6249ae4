"""The result of a validation of masks, as text and as JSON."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest

import numpy as np
from pandas import DataFrame

from cfcn_plugin.masks.errors import MaskError, unknown_keys_error
from cfcn_plugin.masks.refine_record import describe_ways
from cfcn_plugin.printable import printable

from .samples import Samples
from .validate import KINDS, Finding, Problem

QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
QUANTILE_NAMES = ('smallest', '5%', '25%', 'median', '75%', '95%', 'largest')
STEPS = (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1)  # of the bars over areas
BAR = 40  # characters of the longest bar
EXAMPLES = 3  # listed images of each other kind of problem
BROKEN = ('image', 'pipeline', 'unusable', 'size', 'damaged')  # kinds listed in full
CLASSES = 20  # listed classes
COARSE = 0.5  # the best cell has more context than object
UNGUIDED = (
    "correct them, or train without them by on_error='unguided' of LoadActivationMask"
)
REMEDIES = {
    'image': "correct them, or train without them by dict(type='LoadImage', "
    "on_error='another')",
    'unusable': UNGUIDED,
    'size': UNGUIDED,
    'missing': "add them, or declare such images with missing='unguided'",
    'empty': "correct them, or declare such images with empty='unguided'",
    'turned': 'masks in the orientation of the stored pixels need exif=True',
}


@dataclass(frozen=True)
class Report:
    """The findings of all images, and the masks and list lines without an image.

    Attributes:
        findings: One per image.
        unmatched: Messages about masks, and lines of image lists, without an image.
        classes: Names of the classes.
        grid: Rows and columns of the map that is guided; None if there is none.
        has_check_hook: Whether the config has GuidanceCheckHook, which ends a run at
            the start if ``unmatched`` is not empty.
    """

    findings: Sequence[Finding]
    unmatched: Sequence[str] = ()
    classes: Sequence[str] = ()
    has_check_hook: bool = False
    grid: tuple[int, int] | None = None

    @property
    def stops(self) -> bool:
        """Whether a training run would stop with an error."""
        return bool(self.unmatched and self.has_check_hook) or any(
            problem.stops for finding in self.findings for problem in finding.problems
        )

    @property
    def suspicious(self) -> list[Finding]:
        """Findings for a visual check, alternating between the kinds of problem.

        Images that the config declares unguided are left out.
        """
        queues = {kind: [] for kind in KINDS}
        for finding in self.findings:
            kinds = [
                problem.kind
                for problem in finding.problems
                if problem.stops or problem.kind not in ('missing', 'empty')
            ]
            if kinds:
                queues[kinds[0]].append(finding)
        rounds = zip_longest(*queues.values())
        return [finding for one in rounds for finding in one if finding is not None]

    def as_dict(self) -> dict:
        """The report in JSON's types."""
        areas = self._areas()
        return dict(
            stops=self.stops,
            images=len(self.findings),
            guided=len(areas),
            kept_fraction=self._kept_fraction(),
            best_focus=self._best_focus(),
            outlines=dict(self._outlines()),
            unmatched=list(self.unmatched),
            counts=dict(Counter(problem.kind for _, problem in self._problems())),
            guided_by_class=self._by_class().to_dict('index'),
            area=dict(zip(map(str, QUANTILES), np.quantile(areas, QUANTILES).tolist()))
            if len(areas)
            else {},
            problems=[
                {'image': finding.image, **asdict(problem)}
                for finding, problem in self._problems()
            ],
        )

    def __str__(self):
        kept = self._kept_fraction()
        parts = [
            f'{len(self._areas())} of {len(self.findings)} images are guided.',
            '\n'.join(map(printable, self._class_lines())),
            '\n'.join(self._area_lines()),
            ''
            if kept is None
            else 'After the whole pipeline the object is visible '
            f'in {kept:.1%} of draws.',
            self._outline_line(),
            self._grid_line(),
            '\n'.join(map(printable, self._problem_lines())),
            'A training run with this config would stop.'
            if self.stops
            else 'No problem would stop a training run with this config.',
        ]
        return '\n\n'.join(filter(None, parts))

    # ---- numbers -----------------------------------------------------------------

    def _problems(self) -> list[tuple[Finding, Problem]]:
        return [
            (finding, problem)
            for finding in self.findings
            for problem in finding.problems
        ]

    def _areas(self) -> np.ndarray:
        return np.array([finding.area for finding in self.findings if finding.guided])

    def _kept_fraction(self) -> float | None:
        return _mean(finding.kept_fraction for finding in self.findings)

    def _best_focus(self) -> float | None:
        return _mean(finding.best for finding in self.findings)

    def _outlines(self) -> Counter:
        return sum((finding.ways for finding in self.findings), Counter())

    def _by_class(self) -> DataFrame:
        """The number of ``guided`` images and of all ``images`` of each class."""
        names = dict(enumerate(self.classes))
        labels = sorted(
            (label, finding.guided)
            for finding in self.findings
            for label in finding.labels
        )
        rows = DataFrame(
            [(names.get(label, str(label)), guided) for label, guided in labels],
            columns=['name', 'guided'],
        )
        return rows.groupby('name', sort=False)['guided'].agg(
            guided='sum', images='size'
        )

    # ---- text --------------------------------------------------------------------

    def _class_lines(self) -> Iterator[str]:
        rows = self._by_class()
        rows['fraction'] = rows['guided'] / rows['images']
        if rows.empty:
            return
        more = len(rows) - CLASSES // 2 if len(rows) > CLASSES else 0
        if more:
            rows = rows.sort_values('fraction', kind='stable')[: CLASSES // 2]
        width = rows.index.str.len().max()
        yield 'Guided by class' + (', the least first:' if more else ':')
        for name, guided, total, fraction in rows.itertuples():
            yield f'  {name:{width}}  {guided:>7} of {total:<7} {fraction:6.1%}'
        if more:
            yield f'  ... and {more} more classes, all in --json'

    def _area_lines(self) -> Iterator[str]:
        areas = self._areas()
        if not len(areas):
            return
        yield 'Causal fraction of the image:'
        for name, area in zip(QUANTILE_NAMES, np.quantile(areas, QUANTILES)):
            yield f'  {name:>8}  {area:8.2%}'
        counts, _ = np.histogram(areas, STEPS)
        for low, high, count in zip(STEPS, STEPS[1:], counts):
            bar = '█' * max(int(count > 0), round(BAR * count / counts.max()))
            yield f'  {low:4.0%} to {high:4.0%}  {count:>7}  {bar}'.rstrip()

    def _outline_line(self) -> str:
        ways = self._outlines()
        return f'Marks became {describe_ways(ways)}.' if ways else ''

    def _grid_line(self) -> str:
        best = self._best_focus()
        if best is None or self.grid is None:
            return ''
        rows, columns = self.grid
        text = (
            f'The guided map has {rows} x {columns} cells. With these masks its '
            f'`focus` can be {best:.2f} at most in the mean (`focus_best` in the '
            f'log); a uniform map has {self._areas().mean():.2f}.'
        )
        if best >= COARSE:
            return text
        return (
            f'{text}\nWARNING: the map is too coarse to guide: of the best cell '
            'more is context than object. Guide an earlier map (model.feature_hook='
            "dict(target='backbone.layer3') of a ResNet), enlarge the images, or "
            'swap backgrounds instead (BackgroundSwap)'
        )

    def _problem_lines(self) -> Iterator[str]:
        by_kind = {
            kind: [pair for pair in self._problems() if pair[1].kind == kind]
            for kind in KINDS
        }
        yield (
            'Found:'
            if self.unmatched or any(by_kind.values())
            else 'No problem was found.'
        )
        for message in self.unmatched:
            yield f'  {"STOPS " if self.has_check_hook else ""}{message}'
        for kind, found in by_kind.items():
            if not found:
                continue
            stops = any(problem.stops for _, problem in found)
            remedy = REMEDIES.get(kind) if stops or kind == 'turned' else None
            yield (
                f'  {"STOPS " if stops else ""}{KINDS[kind]}: {len(found)}'
                + (f' ({remedy})' if remedy else '')
            )
            most = len(found) if kind in BROKEN else EXAMPLES
            for finding, problem in found[:most]:
                reason = problem.reason and f': {problem.reason}'
                yield f'      {finding.image}{reason}'
            if len(found) > most:
                yield f'      ... and {len(found) - most} more, all in --json'


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def unmatched_messages(datasets: Sequence[Samples]) -> list[str]:
    """Messages about masks without an image, and list lines without an image."""
    found = []
    for samples in datasets:
        loader = samples.loader
        try:
            loader.check(samples.names)
        except (MaskError, OSError) as error:
            found.append(str(error))
        lines = loader.unknown_lines(name for one in datasets for name in one.names)
        if lines:
            file = f"'{loader.image_list_file}'"
            found.append(str(unknown_keys_error(lines, 'lines', file)))
    return found
