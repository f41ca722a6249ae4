"""Check that masks follow their images through every pipeline of mmpretrain's zoo.

An image with green objects, whose mask is therefore known from its own pixels, goes
50 times through each distinct training pipeline as guide_config makes it. Verdict 'ok'
means that each time

- the image, and the random numbers drawn, are bit for bit the stock pipeline's;
- mask and green pixels agree on 99 % of the pixels, those within a hundredth of the
  image's side from an outline apart, since outlines are interpolated.

Colours change, and erased pixels are gone: for the second point transforms that move
no pixel draw their random numbers and leave the image. That the mask is the same
with and without them is checked, too.
"""

import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import mmpretrain
import numpy as np
import torch
import torch.nn.functional as F
from driver import Sweep
from mm_zoo import supervised, train_pipelines
from mmcv.transforms import Compose, LoadImageFromFile
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image
from torchvision.transforms import autoaugment

from cfcn_plugin import guide_config
from cfcn_plugin.mm.transforms import PHOTOMETRIC, transform_type

DRAWS = 50
LEAST = 0.99
FORMATS = ('ImageToTensor', 'Normalize', 'NumpyToPIL', 'PILToNumpy', 'ToTensor')
# Data sets that hold small images in memory: the images' sizes
IN_MEMORY = dict(CIFAR10=(32, 32, 3), CIFAR100=(32, 32, 3), MNIST=(28, 28))


def tables(sweep: Sweep) -> Iterator[tuple[str, str]]:
    configs = supervised()[0]
    users = distinct_pipelines(configs)
    results = sweep.run(
        'draws', users, lambda name: check(configs[name.split('#')[0]], number(name))
    )
    yield 'pipelines', table(results, users)


# ---- what to check -----------------------------------------------------------


def distinct_pipelines(configs: dict[str, Config]) -> dict[str, list[str]]:
    """The configs that use each pipeline, by the first one's name.

    CONFIG#1 is the second pipeline of a config.
    """
    users = {}
    for name, cfg in configs.items():
        for i, pipeline in enumerate(train_pipelines(cfg)):
            key = json.dumps([pipeline, memory_shape(cfg)], sort_keys=True, default=str)
            users.setdefault(key, []).append(f'{name}#{i}' if i else name)
    return {
        names[0]: sorted({name.split('#')[0] for name in names})
        for names in users.values()
    }


def number(name: str) -> int:
    return int(name.partition('#')[2] or 0)


def memory_shape(cfg: Config) -> tuple | None:
    dataset = cfg.train_dataloader.dataset
    while 'dataset' in dataset:  # a wrapper
        dataset = dataset['dataset']
    return IN_MEMORY.get(dataset['type'])


# ---- the image -------------------------------------------------------------


def image_and_mask(shape=(300, 400, 3)) -> tuple[np.ndarray, np.ndarray]:
    """Dark red and blue noise with green objects, unlike their mirror images."""
    height, width = shape[:2]
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    mask = (x - 0.4) ** 2 / 0.09 + (y - 0.5) ** 2 / 0.12 < 1
    mask |= (abs(x - 0.75) < 0.12) & (abs(y - 0.3) < 0.15)
    mask &= ~((abs(x - 0.35) < 0.1) & (abs(y - 0.6) < 0.1))
    if len(shape) == 2:
        return 255 * mask.astype(np.uint8), mask
    rng = np.random.default_rng(0)
    image = rng.integers(0, 60, shape, dtype=np.uint8)
    image[..., 1] = 255 * mask
    return image, mask


def is_green(image: torch.Tensor) -> torch.Tensor:
    """(C, H, W) BGR, RGB or grey to (H, W)."""
    if len(image) == 1:
        return image[0] > 127
    return (image[1] > 127) & (image[0] < 110) & (image[2] < 110)


@contextmanager
def colours_kept():
    """Transforms that move no pixel draw, and leave the image as it is."""

    def draw_only(transform):
        def run(self, results):
            transform(self, {**results, 'img': results['img'].copy()})
            return results

        return run

    apply = autoaugment._apply_op

    def move_only(image, name, *args, **kwargs):
        moves = name in ('ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate')
        return apply(image, name, *args, **kwargs) if moves else image

    patches = [
        mock.patch.object(kind, 'transform', draw_only(kind.transform))
        for kind in PHOTOMETRIC
        if hasattr(kind, 'transform') and kind.__name__ not in FORMATS
    ] + [mock.patch.object(autoaugment, '_apply_op', move_only)]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


# ---- the check -----------------------------------------------------------------


def check(cfg: Config, index: int = 0, draws: int = DRAWS) -> dict:
    """Put the image through a config's training pipeline, stock and guided.

    Args:
        cfg: The stock config.
        index: Which of its training pipelines.
        draws: How many times.

    Returns:
        What the table tells.
    """
    shape = memory_shape(cfg)
    image, mask = image_and_mask(shape) if shape else image_and_mask()
    steps = train_pipelines(cfg)[index]
    loads = any(
        issubclass(transform_type(step['type']), LoadImageFromFile) for step in steps
    )
    with (
        tempfile.TemporaryDirectory() as root,
        DefaultScope.overwrite_default_scope('mmpretrain'),
    ):
        file = Path(root, 'image.png')
        Image.fromarray(image).save(file)
        Path(root, 'masks').mkdir()
        name = 'image' if loads else '0'
        Image.fromarray(255 * mask.astype(np.uint8)).save(f'{root}/masks/{name}.png')
        source = dict(type='PNGMasks', data_root=root, masks='masks')
        stock = Compose(steps)
        guided = Compose(
            train_pipelines(guide_config(cfg, dict(train=source), splits=('train',)))[
                index
            ]
        )

        def run(pipeline, seed):
            random.seed(seed)
            np.random.seed(seed)
            torch.manual_seed(seed)
            if loads:
                sample = dict(img_path=str(file), gt_label=0)
            else:
                sample = dict(img=image.copy(), gt_label=0, sample_idx=0)
            return pipeline(sample), (
                random.random(),
                np.random.rand(),
                torch.rand(()).item(),
            )

        inner, whole, cropped_out, same_image, same_mask = [], [], 0, True, True
        for seed in range(draws):
            (expected, numbers), (found, again) = run(stock, seed), run(guided, seed)
            same_image &= numbers == again and torch.equal(
                expected['inputs'], found['inputs']
            )
            with colours_kept():
                kept, _ = run(guided, seed)
            mask = moved_mask(kept)
            same_mask &= bool((mask == moved_mask(found)).all())
            green = is_green(kept['inputs'])
            inner.append(agreement(mask, green))
            whole.append((mask == green).float().mean().item())
            cropped_out += not mask.any()
    problems = [
        problem
        for problem, here in (
            ('the image differs', not same_image),
            ('the mask depends on colours', not same_mask),
            ('the mask is elsewhere', min(inner) < LEAST),
        )
        if here
    ]
    return dict(
        chain=[step['type'] for step in steps],
        size=list(mask.shape),
        draws=draws,
        cropped_out=cropped_out,
        agreement=min(inner),
        with_outlines=float(np.mean(whole)),
        equal=same_image,
        verdict='wrong' if problems else 'ok',
        reason='; '.join(problems),
    )


def moved_mask(packed: dict) -> torch.Tensor:
    sample = packed['data_samples']
    if sample.guided:
        return torch.from_numpy(sample.activation_mask).bool()
    return torch.zeros(packed['inputs'].shape[-2:], dtype=torch.bool)  # cropped out


def agreement(mask: torch.Tensor, green: torch.Tensor) -> float:
    """Fraction of pixels that agree, those near an outline of the green apart."""
    reach = max(1, max(green.shape) // 100)
    soft = green[None].float()
    highest, lowest = (
        sign * F.max_pool2d(sign * soft, 2 * reach + 1, 1, reach) for sign in (1, -1)
    )
    inner = (highest == lowest)[0]
    return (mask == green)[inner].float().mean().item()


# ---- the page ------------------------------------------------------------------


def table(results: dict[str, dict], users: dict[str, list[str]]) -> str:
    good = sum(r['verdict'] == 'ok' for r in results.values())
    configs = {config for name in results for config in users[name]}
    lines = [
        f'{good} of {len(results)} distinct training pipelines of {len(configs)} '
        f'configs are ok (mmpretrain {mmpretrain.__version__}).',
        '',
        '| pipeline | for example | configs | size | draws | cropped out | '
        'least agreement | mean with outlines | image | verdict |',
        '|' + '---|' * 10,
    ]
    for name, r in sorted(results.items(), key=lambda item: -len(users[item[0]])):
        cells = [' '.join(r.get('chain', ())), name, len(users[name])]
        if 'size' in r:
            cells += [
                '×'.join(map(str, r['size'])),
                r['draws'],
                r['cropped_out'],
                f'{100 * r["agreement"]:.2f} %',
                f'{100 * r["with_outlines"]:.2f} %',
                'equal' if r['equal'] else 'differs',
            ]
        else:
            cells += [''] * 6
        cells.append(' '.join(filter(None, (r['verdict'], r['reason']))))
        lines.append('| ' + ' | '.join(map(str, cells)) + ' |')
    return '\n'.join(lines)
