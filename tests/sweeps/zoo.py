"""Check that every supervised config of mmpretrain's zoo can be guided.

Each is guided by guide_config, its model and pipelines are built, and its state-dict
keys are compared with the stock model's. The smallest config of each class (family,
training pipeline, head) takes one training step on generated images, and its
checkpoint is loaded, strictly, into the stock config's model.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import mmpretrain
import numpy as np
import torch
from driver import Sweep
from mm_zoo import (
    build,
    compose,
    meta_model,
    step_names,
    stock,
    supervised,
    train_pipelines,
    without_pretrained,
)
from mmengine.dataset import default_collate
from torch import nn
from zoo_step import forward, gradients, maps_of, not_loaded, optimiser, samples

from cfcn_plugin import guide_config, unguide_config


def tables(sweep: Sweep) -> Iterator[tuple[str, str]]:
    configs, skipped = supervised()
    built = sweep.run('built', configs, check_build)
    classes = smallest_of_classes(built)
    yield 'zoo', page(built, classes, sweep.run('steps', classes, check_step), skipped)


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
    changed = {
        key
        for key in {*before, *after} - {'load_from', 'resume'}
        if before.get(key) != after.get(key)
    }
    if changed:
        problems.append(f'unguide_config changes {sorted(changed)}')
    return dict(
        verdict='wrong' if problems else 'ok',
        reason='; '.join(problems),
        family=name.split('/')[0],
        head=cfg.model.head.get('type', 'none'),
        pipeline=[' '.join(step_names(p)) for p in train_pipelines(cfg)],
        parameters=sum(p.numel() for p in model.parameters()),
    )


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
            torch.load(weights, weights_only=True)['state_dict'],
        )
    problems = []
    if not all(
        torch.isfinite(value).all()
        for value in (losses['loss_focus'], logged['loss_focus'], logged['loss'])
    ):
        problems.append(f'losses are not finite: {logged}')
    if left_out:
        problems.append(f'the stock model does not load {left_out}')
    if trained and not reached:
        problems.append('loss_focus has no gradient in the backbone')
    return dict(
        verdict='wrong' if problems else 'ok',
        reason='; '.join(problems),
        map=[list(m.shape[1:]) for m in maps_of(model, packed)],
        loss_focus=losses['loss_focus'].item(),
        reached=f'{reached} of {trained}' if trained else 'frozen',
        guided_fraction=float(losses['guided_fraction']),
    )


# ---- the page ------------------------------------------------------------------


def page(built: dict, classes: dict, steps: dict, skipped: dict) -> str:
    lines = [
        f'Configs: {count(built)}. Classes: {count(steps)}. (mmpretrain '
        f'{mmpretrain.__version__})',
        '',
        '| family | pipeline | head | configs | the one that took a step | map | '
        'loss_focus | gradient in | verdict |',
        '|' + '---|' * 9,
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
            f'{step["verdict"]} {step["reason"]}'.rstrip()
            + ' |'
        )
    lines += [
        '',
        '## Pipelines',
        '',
        '| | transforms, of later epochs after a slash |',
        '|---|---|',
    ]
    lines += [f'| {letter} | {" / ".join(kind)} |' for kind, letter in kinds.items()]
    failed = {n: r['reason'] for n, r in built.items() if r['verdict'] != 'ok'}
    for title, reasons in (('Configs that do not build', failed), ('Skipped', skipped)):
        lines += ['', f'## {title}', '']
        lines += [f'- `{name}`: {reason}' for name, reason in sorted(reasons.items())]
        if not reasons:
            lines.append('None.')
    return '\n'.join(lines)


def count(results: dict[str, dict]) -> str:
    verdicts = Counter(result['verdict'] for result in results.values())
    return f'{len(results)}, ' + ', '.join(
        f'{number} {verdict}' for verdict, number in verdicts.most_common()
    )


def pipelines(built: dict) -> dict[tuple, str]:
    """A short name for each list of pipelines, the most used first."""
    uses = {}
    for result in built.values():
        if 'pipeline' in result:
            key = tuple(result['pipeline'])
            uses[key] = uses.get(key, 0) + 1
    return {
        key: f'P{i}'
        for i, key in enumerate(sorted(uses, key=lambda key: (-uses[key], key)), 1)
    }
