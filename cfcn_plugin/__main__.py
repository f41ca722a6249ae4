"""``python -m cfcn_plugin``: what is installed, and where configs and tools are."""
from pathlib import Path

import cfcn_plugin
from cfcn_plugin.stack import INSTALL, find_stack


def home() -> Path:
    """The folder with ``configs`` and ``tools``: a checkout, or ``.mim``."""
    package = Path(cfcn_plugin.__file__).parent
    return package / '.mim' if (package / '.mim').is_dir() else package.parent


if __name__ == '__main__':
    print(f'cfcn_plugin {cfcn_plugin.__version__}')
    print(f'mm stack:   {find_stack() or "none; " + INSTALL}')
    print(f'configs:    {home() / "configs"}')
    print(f'tools:      {home() / "tools"}')
