"""The first import of mmpretrain without its notes on parts that nobody asked for."""

import io
import warnings
from contextlib import redirect_stdout
from importlib import import_module

# printed by mmpretrain's fork
PRINTED = 'Could not import OneDL'
# a warning of mmcv without compiled parts, which mmpretrain does not need
WARNED = 'Fail to import ``MultiScaleDeformableAttention``'


def import_quietly(*names: str) -> None:
    """Import packages; what else the imports print or warn of is shown."""
    printed = io.StringIO()
    with warnings.catch_warnings(), redirect_stdout(printed):
        warnings.filterwarnings('ignore', message=WARNED)
        for name in names:
            import_module(name)
    for line in printed.getvalue().splitlines():
        if line != PRINTED:
            print(line)
