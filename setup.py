"""What pyproject.toml cannot say: ``configs`` and ``tools`` travel in ``.mim``."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent


class BuildWithMim(build_py):
    """Copies ``configs`` and ``tools`` to where mm packages keep theirs."""

    def run(self):
        super().run()
        if getattr(self, 'editable_mode', False):
            return  # a checkout has them beside the package
        for folder in ('configs', 'tools'):
            target = Path(self.build_lib, 'cfcn_plugin', '.mim', folder)
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(
                HERE / folder, target, ignore=shutil.ignore_patterns('__pycache__')
            )


setup(cmdclass={'build_py': BuildWithMim})
