"""What the methods of a grid are, as their configs say it."""

from collections.abc import Mapping, Sequence

from cfcn_plugin.mm.config import Config, read_config_file

from .grid import Grid
from .outcome import Outcome


def describe_methods(grid: Grid, known: Sequence[Outcome]) -> dict[str, str]:
    """{method: its guidance, head and batch augments, and its baseline}."""
    first = {}
    for outcome in known:
        first.setdefault(outcome.cell.method, outcome)
    described = {}
    for method, outcome in first.items():
        file = outcome.config if outcome.config.is_file() else outcome.cell.config
        baseline = grid.baseline_of(method)
        described[method] = '; '.join(
            filter(
                None,
                (
                    describe_model(read_config_file(file)),
                    outcome.cell.config.name,
                    f'compared with {baseline}'
                    if baseline not in (None, method)
                    else '',
                ),
            )
        )
    return described


def describe_model(cfg: Config) -> str:
    """How a config's model is guided, for people."""
    model = cfg.get('model') or {}
    augments = (model.get('train_cfg') or {}).get('augments')
    parts = [
        f'guidance: {_call(model.get("guidance")) or "none"}',
        f'batch augments: {_call(augments)}' if augments else '',
    ]
    if model.get('head'):
        parts.insert(1, f'head: {_call(model.head, ("mode",))}')
    return '; '.join(filter(None, parts))


def _call(config, options: Sequence[str] | None = None) -> str:
    """A config as ``Type(option=value)``, with some or all of its options."""
    if isinstance(config, Mapping) and 'type' in config:
        given = [
            f'{key}={value!r}'
            for key, value in config.items()
            if key != 'type' and (options is None or key in options)
        ]
        return f'{config["type"]}({", ".join(given)})' if given else str(config['type'])
    if isinstance(config, list | tuple):
        return ' + '.join(_call(one, options) for one in config)
    return '' if config is None else str(config)
