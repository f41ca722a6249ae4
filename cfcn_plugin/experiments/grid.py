"""The cells of a grid, each a run of a method at a place of the grid's axes."""

from dataclasses import dataclass, field
from pathlib import Path

# Columns of every table; a grid may have more axes
AXES = ('seed', 'alpha', 'masks', 'size')
OPTIONS = {'seed': 'randomness.seed', 'alpha': 'model.guidance.loss_weight'}


@dataclass(frozen=True)
class Cell:
    """One run of the grid.

    Attributes:
        method, data: Names.
        config: The config file of the run.
        options: ``--cfg-options`` for the config, including the values of the axes.
        axes: {axis: label}, the place in the grid, without ``data`` and without axes
            along which the method does not vary.
    """

    method: str
    data: str
    config: Path
    options: dict = field(hash=False)
    axes: dict = field(hash=False)

    @property
    def masks(self) -> int | str | None:
        """Number of guided training images, or a fraction such as ``'5%'``.

        None: the config's own choice.
        """
        return self.axes.get('masks')

    @property
    def size(self) -> int | None:
        """Number of training images, or None: all."""
        return self.axes.get('size')

    @property
    def seed(self) -> int:
        """The seed of the run and of the choice of images and masks; 0 by default."""
        return int(self.options.get(OPTIONS['seed']) or 0)

    @property
    def name(self) -> str:
        """The cell's folder below the work dir."""
        place = '_'.join(f'{axis}={label}' for axis, label in self.axes.items())
        return f'{self.method}/{self.data}/{place or "run"}'


@dataclass(frozen=True)
class Grid:
    """The content of a grid file.

    Attributes:
        name: The file's stem.
        cells: All runs, sorted by seed.
        axes: Names of the axes except ``data``, in the order of the columns.
        baseline: The method that other methods are compared with, or None.
        own_baselines: {method: its own baseline} for methods with another baseline.
        metrics: {title: (logged key, factor)} of tables and figures; {}: all metrics.
        test: ``'t'`` or ``'wilcoxon'``, the paired test.
    """

    name: str
    cells: tuple[Cell, ...]
    axes: tuple[str, ...]
    baseline: str | None
    metrics: dict[str, tuple[str, float]]
    test: str
    own_baselines: dict[str, str] = field(default_factory=dict)

    def baseline_of(self, method: str) -> str | None:
        """The baseline of a method."""
        return self.own_baselines.get(method, self.baseline)
