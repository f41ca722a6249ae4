"""Which mm stack is installed: the maintained forks, the originals, none, both."""

from importlib.metadata import PackageNotFoundError, version

INSTALL = (
    "install one with `pip install 'cfcn_plugin[onedl]'` (maintained forks, "
    "tested first) or `pip install 'cfcn_plugin[openmmlab]'`"
)
PARTS = ('mmengine', 'mmpretrain')


def find_stack() -> str | None:
    """Name of the installed mm stack.

    Returns:
        ``'onedl'``, ``'openmmlab'``, or None if there is none.

    Raises:
        ImportError: A stack is incomplete, or both are installed: they own the
            same folders, and the later one has overwritten parts of the other.
    """
    stacks = {
        'onedl': _installed(f'onedl-{part}' for part in PARTS),
        'openmmlab': _installed(PARTS),
    }
    found = [name for name, parts in stacks.items() if parts]
    if len(found) > 1:
        both = [*stacks['onedl'], *stacks['openmmlab']]
        raise ImportError(
            f'two mm stacks are in site-packages: {", ".join(both)}. They own the same '
            f'folders, so one has overwritten the other: run `pip uninstall -y '
            f'{" ".join(both)} onedl-mmcv mmcv mmcv-lite`, then {INSTALL}'
        )
    if not found:
        return None
    (name,) = found
    missing = set(PARTS) - {part.removeprefix('onedl-') for part in stacks[name]}
    if missing:
        raise ImportError(
            f'the {name} stack is incomplete: {", ".join(stacks[name])} found, '
            f'{", ".join(sorted(missing))} missing; {INSTALL}'
        )
    return name


def require_stack() -> str:
    """As :func:`find_stack`, where one is needed.

    Raises:
        ImportError: None is installed, or as in :func:`find_stack`.
    """
    stack = find_stack()
    if stack is None:
        raise ImportError(
            'cfcn_plugin.mm needs mmengine and mmpretrain, and neither '
            f'is installed: {INSTALL}'
        )
    return stack


def _installed(names) -> list[str]:
    found = []
    for name in names:
        try:
            version(name)
        except PackageNotFoundError:
            continue
        found.append(name)
    return found
