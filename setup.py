"""Packaging: configs and tools travel inside the package, in ``.mim``."""
import shutil
from pathlib import Path

from setuptools import find_packages, setup
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
            shutil.copytree(HERE / folder, target,
                            ignore=shutil.ignore_patterns('__pycache__'))


def version() -> str:
    text = (HERE / 'cfcn_plugin' / 'version.py').read_text()
    return text.split("__version__ = '")[1].split("'")[0]


# mmpretrain does not pull its own stack, so the three are always named together
ONEDL = [
    'onedl-mmengine>=0.10.12,<0.11', 'onedl-mmcv>=2.3.6,<2.4',
    'onedl-mmpretrain>=1.3.6,<1.4'
]
OPENMMLAB = [
    'mmengine>=0.10.7,<0.11', 'mmcv-lite>=2.2,<2.3', 'mmpretrain>=1.2,<1.3',
    'setuptools<82'
]
EXPERIMENTS = [  # tools/experiment.py, visualize.py
    'filelock>=4.2', 'jinja2>=3.1', 'matplotlib>=3.8', 'pandas>=2.1', 'scipy>=1.11',
    'submitit>=1.5.2'
]
MASKS = ['h5py>=3.10']  # formats that few need
DEMO = ['scikit-learn>=1.4', 'scikit-image>=0.22', *EXPERIMENTS]
DRAW = ['opencv-python>=4.8', 'tornado>=6.3']  # tools/draw_masks.py
# what explanations are tested against; grad-cam pulls opencv-python-headless, see
# albumentations
ORACLES = ['grad-cam>=1.5', 'captum>=0.7']
# whose layouts are tested; mmpretrain cannot be imported beside transformers 5
TRANSFORMERS = ['transformers>=5.24,<6', 'peft>=0.18']
TEST = [
    'pytest>=8', 'pytest-xdist>=3.5', 'hypothesis>=6.100', 'selenium>=4.20', *DEMO,
    *DRAW, *ORACLES, *MASKS
]

setup(
    name='cfcn_plugin',
    version=version(),
    description='Guided training for mmpretrain and timm: a few human masks '
    'say what is the cause and what is context (CFCN)',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['cfcn_plugin', 'cfcn_plugin.*']),
    package_data={
        'cfcn_plugin.annotation.drawing': ['page/*'],
        'cfcn_plugin.experiments': ['templates/*.html'],
    },
    install_requires=[
        'torch>=2.6', 'torchvision>=0.21', 'timm>=1.0.9,<2', 'numpy>=1.24',
        'pillow>=10', 'pycocotools>=2.0.7', 'torchmetrics>=1.2'
    ],
    extras_require={
        'onedl': ONEDL,
        'openmmlab': OPENMMLAB,
        # pulls opencv-python-headless, which owns the same folder as opencv-python:
        # both in the same version, as constraints.txt has them
        'albumentations': ['albumentations>=2,<3'],
        'demo': DEMO,
        'draw': DRAW,
        'experiments': EXPERIMENTS,
        'masks': MASKS,
        'test': TEST,
        'transformers': TRANSFORMERS,
        'dev': [*TEST, 'ruff>=0.6', 'pre-commit>=3'],
    },
    cmdclass={'build_py': BuildWithMim},
)
