"""Whether the hooked map of a model is right."""

from collections.abc import Callable

import torch
from references import compare, corners
from torch import Tensor, nn

from cfcn_plugin import last_stage_activation
from cfcn_plugin.features import Layout, UnknownBackbone

# Not square where the model allows it: a transposed grid shows
SIZES = ((128, 192), (128, 128), (224, 224), (144, 192), (256, 256))


def first_that_runs(
    make: Callable[[tuple[int, int]], nn.Module],
    sizes: tuple = SIZES,
    channels: int = 3,
) -> tuple[nn.Module, Tensor, Tensor]:
    """The model on the first size of image that it takes, with its map.

    Args:
        make: From (H, W) to the model.
        sizes: (H, W) of the images.
        channels: Of the images.
    """
    error = None
    for size in sizes:
        try:
            torch.manual_seed(0)
            model = make(size)
            model.eval()  # on its own line: mmpretrain's gives None
            inputs = torch.randn(1, channels, *size, requires_grad=True)
            return model, inputs, last_stage_activation(model, inputs)
        except UnknownBackbone:
            raise
        except Exception as e:  # this size is not for this model
            error = e
    raise error


def verdict(
    layout: Layout, inputs: Tensor, activation: Tensor, reference: Tensor | None
) -> dict:
    result = dict(
        hook=f'{layout.module} ({layout.side})',
        layout=kind(activation, layout),
        prefix=layout.prefix_tokens,
        image=list(inputs.shape[-2:]),
        map=list(activation.shape[1:]),
        signed=bool(activation.min() < 0),
        reference='none',
        corners=corners(activation, inputs),
    )
    problems = []
    if reference is not None:
        result['reference'] = compare(activation, reference)
        if result['reference'] == 'differs':
            problems.append(f'reference is {list(reference.shape[1:])}')
    if layout.channels not in (None, activation.shape[1]):
        problems.append(f'the table says {layout.channels} channels')
    if result['reference'] != 'equal' and result['corners'] != 4:
        problems.append(f'{result["corners"]} of 4 corners lean')
    return dict(
        result, verdict='wrong' if problems else 'ok', reason='; '.join(problems)
    )


def kind(activation: Tensor, layout: Layout) -> str:
    if activation.is_contiguous():
        return 'NCHW'
    return 'NHWC' if layout.channels_last else 'tokens'


# ---- the page --------------------------------------------------------------------


def table(results: dict[str, dict], source: str) -> str:
    good = sum(r['verdict'] == 'ok' for r in results.values())
    families = {name.split('/')[0] for name in results}
    lines = [
        f'{good} of {len(results)} models of {len(families)} families are ok '
        f'({source}).',
        '',
        '| family | model | hooked | layout | prefix | image | map | signed | '
        'reference | corners | trained as | verdict |',
        '|' + '---|' * 12,
    ]
    for name, r in sorted(results.items()):
        family, model = name.split('/', 1)
        if 'hook' not in r:
            lines.append(f'| {family} | {model} |' + ' |' * 9 + f' {r["reason"]} |')
            continue
        cells = (
            family,
            model,
            f'`{r["hook"]}`',
            r['layout'],
            r['prefix'],
            '×'.join(map(str, r['image'])),
            '×'.join(map(str, r['map'])),
            'yes' if r['signed'] else 'no',
            r['reference'],
            f'{r["corners"]}/4',
            r.get('trained', ''),
            ' '.join(filter(None, (r['verdict'], r['reason']))),
        )
        lines.append('| ' + ' | '.join(map(str, cells)) + ' |')
    return '\n'.join(lines)
