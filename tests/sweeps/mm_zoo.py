"""The supervised configs that mmpretrain ships, and how to build what they say."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import mmpretrain
import torch
from driver import first_line
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS, TRANSFORMS
from torch import nn
from torch.overrides import TorchFunctionMode

from cfcn_plugin.mm.models import GUIDED_TYPES

ROOT = Path(mmpretrain.__file__).parent / '.mim' / 'configs'


@cache
def stock(name: str) -> Config:
    """A config by its name, such as 'resnet/resnet18_8xb32_in1k'."""
    return Config.fromfile(ROOT / f'{name}.py')


@cache
def supervised() -> tuple[dict[str, Config], dict[str, str]]:
    """Configs with a type in the guided-type table, a head and a train dataloader.

    Returns:
        The configs by name, and why others of these types, and those that cannot be
        read, are not among them.
    """
    configs, skipped = {}, {}
    for path in sorted(ROOT.rglob('*.py')):
        name = path.relative_to(ROOT).with_suffix('').as_posix()
        if '_base_' in name:
            continue
        try:
            cfg = stock(name)
        except Exception as error:
            skipped[name] = f'mmengine cannot read it: {first_line(error)}'
            continue
        model = cfg.get('model') or {}
        if model.get('type') not in GUIDED_TYPES:
            continue
        if not model.get('head'):
            skipped[name] = 'it has no head: it classifies nothing'
        elif not cfg.get('train_dataloader'):
            skipped[name] = 'it has no train dataloader'
        else:
            configs[name] = cfg
    return configs, skipped


def without_pretrained(model):
    """A model's config that fetches no weights."""
    if isinstance(model, dict):
        return ConfigDict(
            {
                key: without_pretrained(value)
                for key, value in model.items()
                if not (
                    key == 'init_cfg'
                    and isinstance(value, dict)
                    and value.get('type') == 'Pretrained'
                )
            }
        )
    if isinstance(model, list | tuple):
        return type(model)(without_pretrained(value) for value in model)
    return model


def build(cfg: dict) -> nn.Module:
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(cfg)


def compose(pipeline: list):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return TRANSFORMS.build(dict(type='Compose', transforms=pipeline))


def meta_model(cfg: dict) -> nn.Module:
    """The model without its weights' memory: zoo models have up to 1.9 billion."""
    with torch.device('meta'), _NumbersOnCPU():
        return build(without_pretrained(cfg))


class _NumbersOnCPU(TorchFunctionMode):
    """On the meta device some constructors still read numbers of what they made."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function is torch.linspace:
            kwargs['device'] = 'cpu'
        if function is torch.Tensor.cpu and args[0].is_meta:
            return torch.zeros(args[0].shape, dtype=args[0].dtype, device='cpu')
        return function(*args, **kwargs)


def train_pipelines(cfg: Config) -> list[list]:
    """The pipelines that training images go through, those of later epochs last."""
    found, inner = [], [cfg.train_dataloader.dataset]
    while inner:
        dataset = inner.pop(0)
        if 'pipeline' in dataset:
            found.append(dataset['pipeline'])
        inner += dataset.get('datasets') or filter(None, [dataset.get('dataset')])
    for hook in cfg.get('custom_hooks') or ():
        if hook['type'] == 'SwitchRecipeHook':
            for recipe in hook['schedule']:
                # stock configs say `pipeline`, which the hook does not read
                found += filter(None, map(recipe.get, ('train_pipeline', 'pipeline')))
    return found


def step_names(pipeline: list) -> Iterator[str]:
    for step in pipeline:
        yield step['type'] if isinstance(step['type'], str) else step['type'].__name__
