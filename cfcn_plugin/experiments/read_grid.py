"""Reading the grid file into the cells of the grid."""

import re
from itertools import product
from pathlib import Path

from cfcn_plugin.mm.config import read_config_file
from cfcn_plugin.options import check_choice

from .grid import OPTIONS, Cell, Grid

KNOWN = {'methods', 'axes', 'baseline', 'options', 'alpha_option', 'metrics', 'test'}
COUNTS = ('masks', 'size')  # axes that are numbers of images
TESTS = ('t', 'wilcoxon')
LABEL = re.compile(r'(?!\.+$)[\w.+%-]+')  # allowed as a folder's name: not '..'
PERCENTAGE = re.compile(r'(\d{1,2}(\.\d*)?|\.\d+|100(\.0*)?)%')


def read_grid(file: str | Path) -> Grid:
    """Expand a grid file, a plain mmengine config::

        methods = dict(
            cnn=dict(config='../cnn_cfcnnet_{data}.py', without=['alpha']),
            cfcn='../cfcn-c_cfcnnet_{data}.py')
        baseline = 'cnn'
        axes = dict(data=['textured-digits'], seed=[0, 1, 2], alpha=[0.1, 0.5])

    ``methods``: {name: config file, or a dict}. The keys of the dict are ``config``,
    ``options``, ``without`` (axes along which the method does not vary),
    ``axis_values`` ({axis: a subset of its values}) and ``baseline`` (if not the
    grid's). ``config`` is {data: path}, or a path relative to the grid file, where
    ``{data}`` stands for the data set's name and ``*`` must match exactly one file.

    ``axes``: {name: values}. ``data``: names; ``seed``; ``alpha``, the value of
    ``alpha_option``; ``masks``, a number of guided images or a fraction of all images
    such as ``'5%'``; ``size``, a number of training images. Any other axis is a dotted
    setting with its values. The values of an axis, except ``masks`` and ``size``, may
    also be {label: ``--cfg-options``}.

    ``options``: ``--cfg-options`` of every run. In a value that is a text, ``{axis}``
    stands for the cell's value of that axis. ``baseline``, ``metrics`` ({title: key
    or (key, factor)}), ``test``: see :class:`Grid`.

    Raises:
        FileNotFoundError: The grid file, or one of its configs, does not exist.
        ValueError, TypeError: The grid file does not have the format above.
    """
    file = Path(file)
    if not file.is_file():
        raise FileNotFoundError(
            f"grid file '{file}' does not exist; examples are in configs/experiments"
        )
    given = read_config_file(file).to_dict()
    _check_keys(f"'{file}'", given, KNOWN, needed='methods')
    methods = {
        _label(name, 'method'): _method(name, method)
        for name, method in given['methods'].items()
    }
    axes = {'data': ['data'], **given.get('axes', {})}
    settings = {**OPTIONS, 'alpha': given.get('alpha_option', OPTIONS['alpha'])}
    axes = {
        _label(axis, 'axes'): _axis(axis, values, settings.get(axis, axis))
        for axis, values in axes.items()
    }
    own = {name: m['baseline'] for name, m in methods.items() if m['baseline']}
    for baseline in filter(None, (given.get('baseline'), *own.values())):
        if baseline not in methods:
            raise ValueError(
                f"`baseline` is '{baseline}', the methods are {list(methods)}"
            )
    test = given.get('test', 't')
    check_choice('test', test, TESTS)
    cells = [
        cell
        for name, method in methods.items()
        for cell in _cells(name, method, axes, given.get('options', {}), file.parent)
    ]
    seeds = list(axes.get('seed', ()))
    cells.sort(
        key=lambda cell: seeds.index(cell.axes.get('seed', seeds[0])) if seeds else 0
    )
    return Grid(
        name=file.stem,
        cells=tuple(cells),
        axes=tuple(axis for axis in axes if axis != 'data'),
        baseline=given.get('baseline'),
        metrics={
            title: (key, 1.0) if isinstance(key, str) else (key[0], float(key[1]))
            for title, key in given.get('metrics', {}).items()
        },
        test=test,
        own_baselines=own,
    )


def _cells(
    name: str, method: dict, axes: dict, options: dict, folder: Path
) -> list[Cell]:
    own = _own_axes(name, method, axes)
    cells = []
    for labels in product(*own.values()):
        place = dict(zip(own, labels))
        merged = {**options, **method['options']}
        for axis, label in place.items():
            merged.update(own[axis][label])
        merged = {key: _fill(value, place) for key, value in merged.items()}
        data = place.pop('data')
        config = _config(name, method['config'], data, folder)
        cells.append(Cell(name, data, config, merged, place))
    return cells


def _fill(value, place: dict):
    """A text with ``{axis}`` for the values of a cell's axes; other values as is."""
    for axis, label in place.items() if isinstance(value, str) else ():
        value = value.replace(f'{{{axis}}}', str(label))
    return value


def _own_axes(name: str, method: dict, axes: dict) -> dict:
    """The axes along which a method varies, with the method's values."""
    unknown = {*method['without'], *method['axis_values']} - set(axes)
    if unknown:
        raise ValueError(
            f"method '{name}' names the axes {sorted(unknown)}, "
            f'the grid has {list(axes)}'
        )
    own = {}
    for axis, values in axes.items():
        if axis in method['without']:
            continue
        some = method['axis_values'].get(axis, values)
        if not some or not set(some) <= set(values):
            raise ValueError(
                f"method '{name}' has only {list(some)} of axis '{axis}', "
                f'which has {list(values)}'
            )
        own[axis] = {label: values[label] for label in some}
    return own


def _method(name: str, given: str | dict) -> dict:
    given = dict(config=given) if isinstance(given, str) else given
    defaults = dict(options={}, without=[], axis_values={}, baseline=None)
    _check_keys(f"method '{name}'", given, {'config', *defaults}, needed='config')
    return {**defaults, **given}


def _config(name: str, given: str | dict, data: str, folder: Path) -> Path:
    if isinstance(given, dict):
        if data not in given:
            raise ValueError(
                f"method '{name}' has no config for the data set "
                f"'{data}': it has those for {list(given)}"
            )
        given = given[data]
    path = folder / given.replace('{data}', data)
    if '*' in path.name:
        found = sorted(path.parent.glob(path.name))
        if len(found) != 1:
            raise ValueError(
                f"config '{path}' of method '{name}' must be one file, "
                f'there are {[f.name for f in found]}'
            )
        (path,) = found
    if not path.is_file():
        raise FileNotFoundError(
            f"config '{path}' of method '{name}' does not exist; "
            'paths are relative to the grid file'
        )
    return path.resolve()


def _axis(axis: str, values: list | dict, setting: str) -> dict:
    """{label: options} of an axis."""
    if not values:
        raise ValueError(f"axis '{axis}' has no value")
    if isinstance(values, dict):
        if axis in COUNTS:
            raise TypeError(f"axis '{axis}' must be a list, got {values!r}")
        return {_label(label, axis): dict(some) for label, some in values.items()}
    if len(set(map(str, values))) < len(values):
        raise ValueError(f"axis '{axis}' has a value twice: {values}")
    if axis in COUNTS:
        return {_count(value, axis): {} for value in values}
    return {
        _label(value, axis): {} if axis == 'data' else {setting: value}
        for value in values
    }


def _count(value: int | str, axis: str) -> int | str:
    masks = axis == 'masks'
    is_percentage = masks and isinstance(value, str) and PERCENTAGE.fullmatch(value)
    # refuse floats: 1.0 could mean one mask, or all masks
    if not is_percentage and (type(value) is not int or value < (not masks)):
        expected = 'a number of images' + masks * " or a fraction such as '5%'"
        raise ValueError(f"axis '{axis}': expected {expected}, got {value!r}")
    return value


def _label(value, axis: str):
    if not LABEL.fullmatch(str(value)):
        raise ValueError(
            f"'{axis}': {value!r} cannot be part of a folder's name; write the axis "
            "as {label: {'setting': value}}, labels of letters, digits and ._+%-"
        )
    return value


def _check_keys(what: str, given: dict, known: set, needed: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown or needed not in given:
        wrong = f'has {unknown}' if unknown else f'has no {[needed]}'
        raise ValueError(f'{what} {wrong}: expected {sorted(known)}')
