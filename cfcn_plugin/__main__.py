"""``python -m cfcn_plugin``: what is installed, and where configs and tools are."""

import cfcn_plugin
from cfcn_plugin.command_line import home
from cfcn_plugin.stack import INSTALL, find_stack

if __name__ == '__main__':
    print(f'cfcn_plugin {cfcn_plugin.__version__}')
    print(f'mm stack:   {find_stack() or "none; " + INSTALL}')
    print(f'configs:    {home() / "configs"}')
    print(f'tools:      {home() / "tools"}')
