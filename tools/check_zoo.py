"""Check that every supervised config of mmpretrain's zoo can be guided.

Each is guided by guide_config, its model and pipelines are built, and its state-dict
keys are compared with the stock model's. The smallest config of each class (family,
training pipeline, head) takes one training step on generated images, and its
checkpoint is loaded, strictly, into the stock config's model.
"""
import argparse
import copy
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

import mmpretrain
import numpy as np
import torch
from _sweep import sweep
from _zoo import (
    build,
    meta_model,
    stock,
    supervised,
    train_pipelines,
    without_pretrained,
)
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmpretrain.registry import TRANSFORMS
from PIL import Image
from torch import nn

from cfcn_plugin import guide_config, unguide_config

IMAGE = 260, 300  # rows, columns of a generated image
BATCH, LARGE = 4, 150e6  # half a batch for models of more parameters


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--only', default='*', help='configs to check, FAMILY/NAME')
    parser.add_argument('--record', type=Path, default=Path('work_dirs/check_zoo'))
    parser.add_argument('--page', type=Path, help='write the tables to this page')
    parser.add_argument('--limit', type=float, default=600, help='seconds a config')
    parser.add_argument('--jobs', type=int, default=2)
    args = parser.parse_args()
    warnings.filterwarnings('ignore')
    logging.disable(logging.INFO)  # mmengine tells of every parameter
    configs, skipped = supervised()
    names = [name for name in configs if fnmatch(name, args.only)]
    built = sweep(
        names, check_build, args.record / 'built.jsonl', args.limit, args.jobs)
    classes = smallest_of_classes(built)
    steps = sweep(
        classes, check_step, args.record / 'steps.jsonl', args.limit, args.jobs)
    text = page(built, classes, steps, skipped)
    print(text)
    if args.page is not None:
        before, after = args.page.read_text().split('<!-- zoo -->')[::2]
        args.page.write_text(f'{before}<!-- zoo -->\n{text}\n<!-- zoo -->{after}')


# ---- every config ------------------------------------------------------------


def check_build(name: str) -> dict:
    """The guided config builds, fits the stock model, and can be made stock again."""
    cfg = stock(name)
    guided = guide_config(cfg, masks_below('data'))
    problems = []
    try:
        model = meta_model(guided.model)
    except Exception as error:
        return blame(error, lambda: meta_model(cfg.model))
    if shapes(model) != shapes(meta_model(cfg.model)):
        problems.append("its state dict is not the stock model's")
    for pipeline in train_pipelines(guided):
        compose(pipeline)
    before, after = cfg.to_dict(), unguide_config(guided).to_dict()
    changed = {key for key in {*before, *after} - {'load_from', 'resume'}
               if before.get(key) != after.get(key)}
    if changed:
        problems.append(f'unguide_config changes {sorted(changed)}')
    return dict(
        verdict='wrong' if problems else 'ok',
        reason='; '.join(problems),
        family=name.split('/')[0],
        head=cfg.model.head.get('type', 'none'),
        pipeline=[' '.join(step_names(p)) for p in train_pipelines(cfg)],
        parameters=sum(p.numel() for p in model.parameters()))


def blame(error: Exception, stock_does_it: Callable) -> dict:
    """The verdict where mmpretrain's own model fails alike; else the error goes on."""
    try:
        stock_does_it()
    except type(error) as theirs:
        if str(theirs) == str(error):
            line = str(error).splitlines()[0].split('. Please')[0]
            return dict(verdict='stock fails', reason=f'{type(error).__name__}: {line}')
    raise error


def masks_below(root: str) -> dict:
    return dict(type='PNGMasks', data_root=root, masks='masks')


def shapes(model: nn.Module) -> dict[str, tuple]:
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}


def step_names(pipeline: list) -> Iterator[str]:
    for step in pipeline:
        yield step['type'] if isinstance(step['type'], str) else step['type'].__name__


def smallest_of_classes(built: dict[str, dict]) -> dict[str, list[str]]:
    """The smallest config of each class, with the names of the whole class."""
    classes = {}
    for name, result in built.items():
        if 'parameters' in result:
            key = result['family'], tuple(result['pipeline']), result['head']
            classes.setdefault(key, []).append(name)
    return {
        min(names, key=lambda name: (built[name]['parameters'], name)): names
        for names in classes.values()
    }


# ---- one of each class -------------------------------------------------------


def check_step(name: str) -> dict:
    """One training step with guidance, and its checkpoint in the stock model."""
    torch.manual_seed(0)
    np.random.seed(0)
    with TemporaryDirectory() as root:
        cfg = guide_config(stock(name), masks_below(root))
        try:
            model, packed, losses = forward(cfg, root)
        except Exception as error:
            return blame(error, lambda: forward(stock(name), root))
        trained, reached = gradients(model, losses['loss_focus'])
        wrapper = optimiser(cfg, model)
        logged = model.train_step(default_collate(samples(cfg, Path(root))), wrapper)
        weights = Path(root, 'weights.pth')
        torch.save(dict(state_dict=model.state_dict()), weights)
        left_out = not_loaded(
            build(without_pretrained(stock(name).model)),
            torch.load(weights, weights_only=True)['state_dict'])
    problems = []
    if not all(torch.isfinite(value).all() for value in (
            losses['loss_focus'], logged['loss_focus'], logged['loss'])):
        problems.append(f'losses are not finite: {logged}')
    if left_out:
        problems.append(f'the stock model does not load {left_out}')
    if trained and not reached:
        problems.append('loss_focus has no gradient in the backbone')
    return dict(
        verdict='wrong' if problems else 'ok',
        reason='; '.join(problems),
        map=[list(m.shape[1:]) for m in maps_of(model, packed)],
        loss_focus=float(losses['loss_focus']),
        reached=f'{reached} of {trained}' if trained else 'frozen',
        guided_fraction=float(losses['guided_fraction']))


def forward(cfg: Config, root: str) -> tuple[nn.Module, dict, dict]:
    """The model in training mode, a preprocessed batch and its losses."""
    cfg = copy.deepcopy(cfg)
    if cfg.get('data_preprocessor'):  # as the runner does
        cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)
    model = build(without_pretrained(cfg.model))
    model.train()
    packed = model.data_preprocessor(
        default_collate(samples(cfg, Path(root))), training=True)
    return model, packed, model(**packed, mode='loss')


def not_loaded(model: nn.Module, weights: dict) -> list[str]:
    """Keys that do not load strictly, but for those a model's own state dict omits."""
    found = model.load_state_dict(weights, strict=False)
    own = model.load_state_dict(model.state_dict(), strict=False)  # swinv2 omits some
    return sorted({*found.missing_keys, *found.unexpected_keys}
                  - {*own.missing_keys, *own.unexpected_keys})


def gradients(model: nn.Module, loss: torch.Tensor) -> tuple[int, int]:
    """How many trained parameters the backbone has, and how many a loss reaches."""
    trained = [p for p in model.get_submodule(model.trained).parameters()
               if p.requires_grad]
    if not trained:
        return 0, 0
    found = torch.autograd.grad(loss, trained, retain_graph=True, allow_unused=True)
    return len(trained), sum(
        one is not None and bool(one.abs().sum() > 0) for one in found)


def samples(cfg: Config, root: Path) -> list[dict]:
    """A batch through the config's training pipeline."""
    pipeline = train_pipelines(cfg)[0]
    transforms = compose(pipeline)
    head = cfg.model.head
    in_memory = 'LoadImageFromFile' not in step_names(pipeline)
    grey = 'MNIST' in str(cfg.train_dataloader.dataset.type)
    shape = (28, 28) if grey else (32, 32, 3) if in_memory else (*IMAGE, 3)
    several = 'MultiLabel' in head.type or 'CSRA' in head.type
    rng = np.random.default_rng(0)
    large = sum(p.numel() for p in meta_model(cfg.model).parameters()) > LARGE
    batch = []
    for index in range(BATCH // 2 if large else BATCH):
        image = rng.integers(0, 256, shape, dtype=np.uint8)
        mask = np.zeros(shape[:2], np.uint8)
        mask[shape[0] // 4:-shape[0] // 4, shape[1] // 4:-shape[1] // 4] = 255
        save(root / 'masks' / f'{index}.png', mask)
        label = index % 2
        info = dict(sample_idx=index, gt_label=[label, 2] if several else label)
        if in_memory:
            info['img'] = image
        else:
            save(root / f'{index}.jpg', image)
            info['img_path'] = str(root / f'{index}.jpg')
        batch.append(transforms(info))
    return batch


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def compose(pipeline: list):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return TRANSFORMS.build(dict(type='Compose', transforms=pipeline))


def optimiser(cfg: Config, model: nn.Module):
    """The config's own; without mixed precision, which wants a GPU."""
    wrapper = dict(cfg.get('optim_wrapper') or {})
    if wrapper.get('type') not in (None, 'OptimWrapper'):
        wrapper = {key: wrapper[key] for key in ('optimizer', 'paramwise_cfg',
                                                 'constructor') if key in wrapper}
    wrapper.setdefault('optimizer', dict(type='SGD', lr=0.01))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return build_optim_wrapper(model, wrapper)


@torch.no_grad()
def maps_of(model: nn.Module, packed: dict) -> tuple:
    with model.feature_hook:
        model(packed['inputs'], mode='tensor')
        taken = model.feature_hook.take(packed['inputs'])
    return taken if isinstance(taken, tuple) else (taken, )


# ---- the page ------------------------------------------------------------------


def page(built: dict, classes: dict, steps: dict, skipped: dict) -> str:
    lines = [
        f'Configs: {count(built)}. Classes: {count(steps)}. (mmpretrain '
        f'{mmpretrain.__version__})', '',
        '| family | pipeline | head | configs | the one that took a step | map | '
        'loss_focus | gradient in | verdict |', '|' + '---|' * 9
    ]
    kinds = pipelines(built)
    for name, members in sorted(classes.items()):
        family, head = built[name]['family'], built[name]['head']
        step = steps[name]
        shown = ', '.join('×'.join(map(str, m)) for m in step.get('map', ()))
        lines.append(
            f'| {family} | {kinds[tuple(built[name]["pipeline"])]} | {head} | '
            f'{len(members)} | {name.split("/", 1)[1]} | {shown} | '
            f'{step.get("loss_focus", float("nan")):.3f} | {step.get("reached", "")} | '
            f'{step["verdict"]} {step["reason"]}'.rstrip() + ' |')
    lines += ['', '## Pipelines', '', '| | transforms, of later epochs after a slash |',
              '|---|---|']
    lines += [f'| {letter} | {" / ".join(kind)} |' for kind, letter in kinds.items()]
    failed = {n: r['reason'] for n, r in built.items() if r['verdict'] != 'ok'}
    for title, reasons in (('Configs that do not build', failed),
                           ('Skipped', skipped)):
        lines += ['', f'## {title}', '']
        lines += [f'- `{name}`: {reason}' for name, reason in sorted(reasons.items())]
        if not reasons:
            lines.append('None.')
    return '\n'.join(lines)


def count(results: dict[str, dict]) -> str:
    verdicts = Counter(result['verdict'] for result in results.values())
    return f'{len(results)}, ' + ', '.join(
        f'{number} {verdict}' for verdict, number in verdicts.most_common())


def pipelines(built: dict) -> dict[tuple, str]:
    """A short name for each list of pipelines, the most used first."""
    uses = {}
    for result in built.values():
        if 'pipeline' in result:
            key = tuple(result['pipeline'])
            uses[key] = uses.get(key, 0) + 1
    return {key: f'P{i}' for i, key in enumerate(
        sorted(uses, key=lambda key: (-uses[key], key)), 1)}


if __name__ == '__main__':
    main()
