"""The report: one HTML file with its images inside."""
import base64
import html
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cfcn_plugin.visualization import charts

from .figures import (
    both_losses,
    condition_lines,
    convergence_lines,
    focus_losses,
    lines_along,
    size_lines,
)
from .grid import Grid
from .run import Outcome
from .sheets import ReportFigure, drawn, sheets
from .table import Summary, against_plain, metrics_of, pivot, summarise

STYLE = '''
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933; max-width: 76rem;
       margin: 2rem auto; padding: 0 1rem }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem }
table { border-collapse: collapse; margin: 1rem 0; font-size: 14px }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #d9dde2; text-align: left }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap }
small, figcaption { color: #5f6b7a } .failed { color: #b42318 }
figure { margin: 1.2rem 0 } img { max-width: 100% }
pre { background: #f5f7fa; padding: .8rem; overflow-x: auto; font-size: 12px }
'''
TESTS = {
    't': 'p is of Student\'s paired t test over seeds, two-sided. It takes the '
    'differences for normal, which so few cannot show; with 3 seeds (2 degrees of '
    'freedom) p < 0.05 needs a mean difference of 2.5 of its standard deviations, so '
    'that a real effect is easily missed.',
    'wilcoxon': 'p is of Wilcoxon\'s signed-rank test over seeds, exact and '
    'two-sided. It takes no distribution for granted, and cannot fall below 0.25 with '
    '3 seeds, or below 0.05 with fewer than 6.',
}


def write_report(grid: Grid, known: Sequence[Outcome], work_dir: Path,
                 command: str = '') -> Path:
    """Write ``report.html``, and its images also into ``figures/``.

    Args:
        grid: The grid.
        known: Its outcomes, finished or not.
        work_dir: Where to.
        command: What made it, for the reader.
    """
    grid = replace(grid, metrics=metrics_of(grid, known))
    summaries = summarise(grid, known)
    parts = [_head(grid, known, command), _failures(known)]
    if summaries:
        parts.append(_tables(grid, summaries))
        folder = work_dir / 'figures'
        folder.mkdir(exist_ok=True)
        for image in _images(grid, known, summaries):
            (folder / f'{image.name}.png').write_bytes(image.png)
            parts.append(_figure(image))
        parts.append(_sheets(grid, known, folder))
    file = work_dir / 'report.html'
    title = html.escape(grid.name)
    file.write_text(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}'
        f'</title><style>{STYLE}</style></head><body>\n' + '\n'.join(parts)
        + '\n</body></html>\n', encoding='utf-8')
    return file


def _head(grid: Grid, known: Sequence[Outcome], command: str) -> str:
    counts = {status: sum(o.status == status for o in known)
              for status in ('done', 'failed', 'pending')}
    hours = sum(o.seconds for o in known) / 3600
    said = ', '.join(f'{count} {status}' for status, count in counts.items() if count)
    made = f'<pre>{html.escape(command)}</pre>' if command else ''
    return (f'<h1>{html.escape(grid.name)}</h1><p>{len(known)} runs: {said}; '
            f'{hours:.2f} hours of running.</p>{made}')


def _failures(known: Sequence[Outcome]) -> str:
    failed = [o for o in known if o.status == 'failed']
    if not failed:
        return ''
    logs = ''.join(
        f'<details><summary class="failed">{html.escape(o.cell.name)}</summary>'
        f'<pre>{html.escape(o.error)}</pre></details>' for o in failed)
    return ('<h2>Failed runs</h2><p>They are in no table. Once the cause is mended, '
            f'<code>--retry</code> runs them again.</p>{logs}')


def _tables(grid: Grid, summaries: Sequence[Summary]) -> str:
    axes, metrics, lines = pivot(summaries)
    heads = ''.join(f'<th>{html.escape(name)}</th>'
                    for name in ('data', 'system', *axes, *metrics, 'n'))
    rows = []
    for line in lines:
        cells = [f'<td>{html.escape(str(line[name]))}</td>'
                 for name in ('data', 'system', *axes)]
        cells += [f'<td class="number">{_cell(line["numbers"].get(metric))}</td>'
                  for metric in metrics]
        n = sorted({s.n for s in line['numbers'].values()})
        rows.append(f'<tr>{"".join(cells)}<td>{"-".join(map(str, n))}</td></tr>')
    table = f'<table><tr>{heads}</tr>{"".join(rows)}</table>'
    note = 'Mean ± standard deviation (n - 1) over n seeds, on the test split.'
    if grid.plain is not None:
        note += (f' Below it, the mean difference to the baseline '
                 f'<b>{html.escape(grid.plain)}</b>, or to the one that is named, of '
                 'the same seeds, its 95 % '
                 f'interval by Student\'s t, and p. {TESTS[grid.test]} Nothing is '
                 'corrected for the number of comparisons.')
    return f'<h2>Results (table 3)</h2>{table}<p><small>{note}</small></p>'


def _cell(summary: Summary | None) -> str:
    if summary is None:
        return ''
    text, paired = str(summary), summary.paired
    if paired is None:
        return text
    interval = '' if paired.low is None else f' [{paired.low:+.1f}, {paired.high:+.1f}]'
    head, _, p = against_plain(summary).partition(', ')
    return f'{text}<br><small>{head}{interval}{", " + p if p else ""}</small>'


def _images(grid: Grid, known: Sequence[Outcome],
              summaries: Sequence[Summary]) -> Iterator[ReportFigure]:
    panels = convergence_lines(grid, known)
    if panels:
        yield drawn(
            'convergence', 'Convergence (figures 6 and 12)',
            'Means over seeds, the band is their standard deviation. Metrics are of '
            'the validation split, as often as the config validates.',
            charts.convergence(panels))
    axes = dict.fromkeys(axis for s in summaries for axis in s.place)
    for axis in axes:
        values = dict.fromkeys(s.place[axis] for s in summaries if axis in s.place)
        if axis == 'size' or len(values) < 2:
            continue
        panels, levels = lines_along(summaries, axis)
        yield drawn(
            f'along_{axis}',
            f'Over {axis}' + (' (figure 7)' if axis == 'alpha' else ''),
            'Mean and standard deviation over seeds; dashed, systems that do not vary '
            f'by {axis}.', charts.along_axis(panels, levels, axis))
    measured = [*both_losses(grid, known), *summaries]
    for system, data in dict.fromkeys((s.system, s.data) for s in summaries):
        plain = grid.twins.get(system, grid.plain)
        panels = size_lines(measured, system, data, plain)
        if panels and system != plain:
            yield drawn(
                f'size_{system}_{data}',
                f'Images and masks (figure 8): {system}, {data}',
                'Curves are a + b log(images) by least squares, from three sizes on. '
                'The mean of class and causally-focus loss is there where the test '
                'has Calibration and FocusMetric.',
                charts.learning_curves(panels, 'training images'))
    panels = condition_lines(known)
    if panels:
        yield drawn(
            'conditions', 'Accuracy on other backgrounds and in other light (figures 9 '
            'and 15)', 'Mean and standard deviation over seeds, %. What is right '
            'without the object is what the background alone gives away.',
            charts.along_axis(panels, {}, ''))
    losses = focus_losses(known)
    if any(len(models) > 1 for models in losses.values()):
        yield drawn(
            'focus', 'Causally-focus loss of all models (figure 13)',
            'Min-max normalised in each data set: 0 the best of it, 1 the worst; the '
            'mean loss itself stands on the bars. Guided models were trained on it, '
            'and each has it by its own equation (all maps, or the true class\'s): '
            'of unlike systems compare the energy inside.',
            charts.normalised_bars(losses, 'causally-focus loss, test split'))


def _sheets(grid: Grid, known: Sequence[Outcome], folder: Path) -> str:
    parts = []
    try:
        for image in sheets(grid, known):
            (folder / f'{image.name}.png').write_bytes(image.png)
            parts.append(_figure(image))
    except (FileNotFoundError, TypeError, ValueError) as error:
        # numbers are worth a report, also where checkpoints are gone
        parts.append('<h2>Where models look</h2><p class="failed">Not drawn: '
                     f'{html.escape(str(error))}</p>')
    return '\n'.join(parts)


def _figure(image: ReportFigure) -> str:
    data = base64.b64encode(image.png).decode()
    return (f'<h2>{html.escape(image.title)}</h2><figure><img alt="'
            f'{html.escape(image.title)}" src="data:image/png;base64,{data}">'
            f'<figcaption>{html.escape(image.caption)}</figcaption></figure>')
