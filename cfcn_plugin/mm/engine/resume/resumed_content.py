"""Whether the content of a checkpoint is that of the run that is to be resumed."""

from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from cfcn_plugin.mm.engine.unwrap_model import unwrap_model
from cfcn_plugin.mm.safe_loading import CheckpointError
from cfcn_plugin.printable import printable

OPTIMIZERS = 'optimizers'  # the key in a checkpoint's `meta`
ADDED = {'differentiable'}  # by torch to the defaults of any optimizer, on loading
NEEDED = (('state_dict',), ('message_hub',), ('meta', 'epoch'), ('meta', 'iter'))


def check_complete(checkpoint: Any, file: str) -> None:
    """Check that the checkpoint is of an interrupted run.

    Raises:
        CheckpointError: The checkpoint has weights only, or is no checkpoint.
    """
    missing = ['.'.join(path) for path in NEEDED if not _has(checkpoint, *path)]
    if missing:
        raise CheckpointError(
            f"checkpoint '{file}' cannot be resumed: it has no {', '.join(missing)}, "
            'as a file of weights only. To start a new training from these weights, '
            f'leave `--resume` out and use `--cfg-options load_from={file}`'
        )


def optimizer_names(wrapper: OptimWrapper | OptimWrapperDict) -> dict[str, str]:
    """The class names of a run's optimizers, for ``meta`` of its checkpoints."""
    return {name: type(one.optimizer).__name__ for name, one in _wrappers(wrapper)}


def check_optimizers(
    checkpoint: dict, wrapper: OptimWrapper | OptimWrapperDict, file: str
) -> None:
    """Check that the saved state is of the run's optimizers, before it is loaded.

    Raises:
        ValueError: The checkpoint is of another optimizer, or of other parameters.
    """
    if 'optimizer' not in checkpoint:
        return
    now = optimizer_names(wrapper)
    before = checkpoint['meta'].get(OPTIMIZERS, now)
    if before != now:
        raise _other_optimizer(file, f'was saved with {_text(before)}', now)
    for name, one in _wrappers(wrapper):
        state = checkpoint['optimizer']
        state = state.get(name) if isinstance(wrapper, OptimWrapperDict) else state
        if not _has(state, 'param_groups'):
            raise _other_optimizer(file, f'has no state of `{name or "one"}`', now)
        sizes = [
            [len(group['params']) for group in groups]
            for groups in (
                state['param_groups'],
                one.optimizer.state_dict()['param_groups'],
            )
        ]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"checkpoint '{file}' cannot be resumed: its optimizer has "
                f'{sum(sizes[0])} parameters in {len(sizes[0])} groups, and the run '
                f'has {sum(sizes[1])} in {len(sizes[1])}: use the model and '
                '`paramwise_cfg` of the interrupted run' + _or_begin(file)
            )


def check_sizes(checkpoint: dict, model: nn.Module, file: str) -> None:
    """Check that the saved weights have the sizes of the model's.

    mmengine only warns of a weight of another size, and keeps the random one.

    Raises:
        ValueError: A weight has another size.
    """
    saved = {
        name.removeprefix('module.'): one
        for name, one in checkpoint['state_dict'].items()
    }
    for name, one in unwrap_model(model).state_dict().items():
        sizes = [tuple(getattr(w, 'shape', ())) for w in (saved.get(name, one), one)]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"checkpoint '{file}' cannot be resumed: {name!r} has the size "
                f'{sizes[0]}, and {sizes[1]} in the model: use the model of the '
                'interrupted run' + _or_begin(file)
            )


def check_settings(wrapper: OptimWrapper | OptimWrapperDict, file: str) -> None:
    """Check that the optimizers have their settings after a state was loaded.

    A checkpoint of mmengine's own runner has no name of its optimizer.

    Raises:
        ValueError: The state is of another optimizer, without some of the settings.
    """
    for _, one in _wrappers(wrapper):
        for group in one.optimizer.param_groups:
            missing = sorted(set(one.optimizer.defaults) - set(group) - ADDED)
            if missing:
                raise _other_optimizer(
                    file,
                    f'is of an optimizer without {missing}',
                    optimizer_names(wrapper),
                )


def check_schedulers(
    checkpoint: dict, schedulers: Sequence | dict | None, file: str
) -> None:
    """Check that the saved states are of the run's schedulers.

    Raises:
        ValueError: A state has attributes that the scheduler in its place has not.
    """
    saved = checkpoint.get('param_schedulers')
    if (
        not saved
        or not schedulers
        or isinstance(saved, dict) != isinstance(schedulers, dict)
    ):
        return
    pairs = (
        zip(saved, schedulers)
        if not isinstance(saved, dict)
        else (
            pair
            for name in saved
            for pair in zip(saved[name], schedulers.get(name, ()))
        )
    )
    for i, (state, scheduler) in enumerate(pairs):
        other = sorted(set(state) - set(scheduler.state_dict()))
        if other:
            raise ValueError(
                f"checkpoint '{file}' cannot be resumed: its scheduler {i} has "
                f'{other}, the scheduler of the run, {type(scheduler).__name__}, has '
                'not: '
                'use the `param_scheduler` of the interrupted run' + _or_begin(file)
            )


def _other_optimizer(file: str, what: str, now: dict[str, str]) -> ValueError:
    return ValueError(
        f"checkpoint '{file}' cannot be resumed: it {what}, and the run has "
        f'{_text(now)}: use the optimizer of the interrupted run' + _or_begin(file)
    )


def _or_begin(file: str) -> str:
    return (
        ', or start a new training from the weights: leave `--resume` out and use '
        f'`--cfg-options load_from={file}` and another `--work-dir`'
    )


def _text(names: Any) -> str:
    if not isinstance(names, dict):  # in a damaged or foreign checkpoint
        return printable(names)
    return printable(
        ', '.join(
            f'{name}: {kind}' if name else str(kind) for name, kind in names.items()
        )
    )


def _wrappers(
    wrapper: OptimWrapper | OptimWrapperDict,
) -> Iterator[tuple[str, OptimWrapper]]:
    if isinstance(wrapper, OptimWrapperDict):
        yield from wrapper.items()
    else:
        yield '', wrapper


def _has(content: Any, *path: str) -> bool:
    for key in path:
        if not isinstance(content, dict) or key not in content:
            return False
        content = content[key]
    return True
