"""What a survey found, as text and as JSON."""
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from cfcn_plugin.masks.base import MaskError, unknown

from .samples import Guided
from .validate import KINDS, Finding

QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
STEPS = (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1)
BAR = 40  # characters of the longest bar
SHOWN = 3  # examples of each kind
CLASSES = 20  # more are not listed
REMEDIES = {
    'missing': "add them, or declare such images with missing='unguided'",
    'empty': "correct them, or declare such images with empty='unguided'",
    'turned': 'masks that lie as the stored pixels need exif=True',
}


@dataclass(frozen=True)
class Report:
    """All findings, and what no image tells.

    Attributes:
        findings: One an image.
        strangers: Masks and lines of lists that belong to no image, in words.
        classes: Names of the classes.
        hooked: Whether the config has GuidanceCheckHook, which ends a run at the start
            for strangers.
    """
    findings: Sequence[Finding]
    strangers: Sequence[str] = ()
    classes: Sequence[str] = ()
    hooked: bool = False

    @property
    def stops(self) -> bool:
        """Whether a training run would not go through."""
        return bool(self.strangers and self.hooked) or any(
            problem.stops for one in self.findings for problem in one.problems)

    @property
    def suspicious(self) -> list[Finding]:
        """Findings to look at: one of each kind, another of each, and so on.

        What the config declares unguided is as it should be.
        """
        queues = {kind: [] for kind in KINDS}
        for one in self.findings:
            for problem in one.problems:
                if problem.stops or problem.kind not in ('missing', 'empty'):
                    queues[problem.kind].append(one)
                    break
        longest = max(map(len, queues.values()))
        return [queue[i] for i in range(longest) for queue in queues.values()
                if i < len(queue)]

    def as_dict(self) -> dict:
        """In JSON's types."""
        areas = self._areas()
        return dict(
            stops=self.stops,
            images=len(self.findings),
            guided=sum(one.guided for one in self.findings),
            kept=self._kept,
            strangers=list(self.strangers),
            counts=dict(self._counts()),
            guided_by_class={
                name: dict(guided=guided, images=total)
                for name, guided, total in self._by_class()
            },
            area=dict(zip(map(str, QUANTILES), map(float, np.quantile(
                areas, QUANTILES)))) if len(areas) else {},
            problems=[{'image': one.image, **asdict(problem)}
                      for one in self.findings for problem in one.problems])

    def __str__(self):
        guided = sum(one.guided for one in self.findings)
        lines = [f'{guided} of {len(self.findings)} images are guided.']
        lines += ['', *self._class_lines()] if any(self._by_class()) else []
        lines += ['', *self._area_lines()] if len(self._areas()) else []
        if self._kept is not None:
            lines += ['', 'After the whole pipeline the object is still there in '
                      f'{self._kept:.1%} of draws.']
        lines += ['', *self._problem_lines()]
        lines += ['', 'A training run with this config would stop.' if self.stops else
                  'Nothing here would stop a training run with this config.']
        return '\n'.join(lines)

    # ---- parts -------------------------------------------------------------------

    def _counts(self) -> Counter:
        return Counter(
            problem.kind for one in self.findings for problem in one.problems)

    def _areas(self) -> np.ndarray:
        return np.array([one.area for one in self.findings if one.guided])

    @property
    def _kept(self) -> float | None:
        kept = [one.kept for one in self.findings if one.kept is not None]
        return float(np.mean(kept)) if kept else None

    def _by_class(self) -> Iterator[tuple[str, int, int]]:
        """(class, guided images, images)."""
        total, guided = Counter(), Counter()
        for one in self.findings:
            total.update(one.labels)
            guided.update(one.labels if one.guided else ())
        for label in sorted(total):
            known = label < len(self.classes)
            name = self.classes[label] if known else str(label)
            yield name, guided[label], total[label]

    def _class_lines(self) -> Iterator[str]:
        rows = list(self._by_class())
        some = sorted(rows, key=lambda row: row[1] / row[2])[:CLASSES // 2]
        some = rows if len(rows) <= CLASSES else some
        width = max(len(name) for name, _, _ in some)
        yield 'Guided by class' + (':' if some is rows else ', the least first:')
        for name, guided, total in some:
            yield f'  {name:{width}}  {guided:>7} of {total:<7} {guided / total:6.1%}'
        if some is not rows:
            yield f'  ... and {len(rows) - len(some)} more classes, all in --json'

    def _area_lines(self) -> Iterator[str]:
        areas = self._areas()
        yield 'Causal share of the image:'
        for share, area in zip(QUANTILES, np.quantile(areas, QUANTILES)):
            name = {0: 'smallest', 0.5: 'median', 1: 'largest'}.get(share)
            yield f'  {name or format(share, ".0%"):>8}  {area:8.2%}'
        counts, _ = np.histogram(areas, STEPS)
        for low, high, count in zip(STEPS, STEPS[1:], counts):
            bar = '█' * max(int(count > 0), round(BAR * count / counts.max()))
            yield f'  {low:4.0%} to {high:4.0%}  {count:>7}  {bar}'.rstrip()

    def _problem_lines(self) -> Iterator[str]:
        counts = self._counts()
        if not counts and not self.strangers:
            yield 'Nothing looks wrong.'
            return
        yield 'Found:'
        for stranger in self.strangers:
            yield f'  {"STOPS " if self.hooked else ""}{stranger}'
        for kind, title in KINDS.items():
            found = [(one, problem) for one in self.findings
                     for problem in one.problems if problem.kind == kind]
            if not found:
                continue
            stops = any(problem.stops for _, problem in found)
            remedy = REMEDIES.get(kind) if stops or kind == 'turned' else None
            yield (f'  {"STOPS " if stops else ""}{title}: {len(found)}'
                   + (f' ({remedy})' if remedy else ''))
            for one, problem in found[:SHOWN]:
                yield f'      {one.image}' + (
                    f': {problem.reason}' if problem.reason else '')
            if len(found) > SHOWN:
                yield f'      ... and {len(found) - SHOWN} more'


def strangers(guided: Sequence[Guided]) -> list[str]:
    """Masks without an image, and lines of lists that name none, in words."""
    found = []
    for one in guided:
        try:
            one.load.source.check()
        except (MaskError, OSError) as error:
            found.append(str(error))
        if one.load.listed is not None:
            names = {n for other in guided for n in other.samples.names}
            lines = one.load.listed - names
            if lines:
                found.append(str(unknown(lines, 'lines', f"'{one.load.image_list}'")))
    return found
