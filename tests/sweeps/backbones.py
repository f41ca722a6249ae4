"""Check that the map of every backbone is found, right and aligned.

Each model gets random weights and one small image. Verdict 'ok' means that the
hook's map equals the reference: timm's forward_intermediates, the second forward
pass that training must not need, or the map that an mmpretrain backbone can give
instead of its pooled features. Where there is none, or only that of an earlier map, it
means that the gradient of each corner's cell leans to that corner of the image.
"""

from collections.abc import Iterator

import mmpretrain
import timm
import torch
from driver import Sweep
from mm_zoo import build, meta_model, stock, supervised, without_pretrained
from mmpretrain.structures import DataSample
from references import timm_reference, zoo_reference
from timm.models import get_pretrained_cfg, model_entrypoint
from torch import Tensor, nn
from verdicts import SIZES, first_that_runs, table, verdict

from cfcn_plugin.features import locate
from cfcn_plugin.guidance.mask_batch import MaskBatch

# Models of more parameters are not built on a small machine
LARGEST = 700e6


def tables(sweep: Sweep) -> Iterator[tuple[str, str]]:
    for source, variants, check, version in (
        ('timm', timm_variants, check_timm, timm.__version__),
        ('mmpretrain', zoo_variants, check_zoo_backbone, mmpretrain.__version__),
    ):
        results = sweep.run(source, sweep.listed(source, variants), check)
        yield source, table(results, f'{source} {version}')


# ---- what to check -----------------------------------------------------------


def timm_variants() -> list[str]:
    """FAMILY/MODEL: the smallest model of each layout variant of each family."""
    smallest = {}
    for name in timm.list_models():
        family = model_entrypoint(name).__module__.split('.')[-1]
        with torch.device('meta'):
            model = timm.create_model(name)
        key = (
            family,
            type(model),
            getattr(model, 'output_fmt', None),
            getattr(model, 'num_prefix_tokens', None),
            type(getattr(model, 'head', None)),
        )
        keep_smaller(smallest, key, model, name)
    return [
        f'{key[0]}/{name}' for key, (size, name) in smallest.items() if size < LARGEST
    ]


def zoo_variants() -> list[str]:
    """TYPE/CONFIG: the smallest config of each backbone class, output and neck."""
    smallest = {}
    for name, cfg in supervised()[0].items():
        if cfg.model.type != 'ImageClassifier':
            continue
        backbone = cfg.model.backbone
        key = (
            backbone.type,
            backbone.get('out_type'),
            backbone.get('final_norm'),
            isinstance(cfg.model.get('neck'), list),
        )
        keep_smaller(smallest, key, meta_model(backbone), name)
    return [f'{key[0]}/{name}' for key, (_, name) in smallest.items()]


def keep_smaller(smallest: dict, key: tuple, model: nn.Module, name: str) -> None:
    found = sum(p.numel() for p in model.parameters()), name
    smallest[key] = min(smallest.get(key, found), found)


# ---- the checks ----------------------------------------------------------------


def check_timm(name: str) -> dict:
    model_name = name.split('/')[1]
    own = get_pretrained_cfg(model_name)
    fixed = own is not None and own.fixed_input_size
    last = own.input_size[1:] if own else (224, 224)
    model, inputs, activation = first_that_runs(
        lambda size: timm.create_model(
            model_name, **dict(img_size=size) if fixed and size != last else {}
        ),
        (*SIZES, last),
    )
    result = verdict(locate(model), inputs, activation, timm_reference(model, inputs))
    if result['verdict'] == 'ok':
        del model, activation  # some are large
        result.update(trained_as(model_name, inputs.shape[-2:]))
    return result


def trained_as(model_name: str, size: tuple[int, int]) -> dict:
    """Which guided models with this backbone get a gradient from a training step.

    Most can be both; encoders have no classifier, others no map without theirs.
    """
    options = dict(model_name=model_name)
    own = get_pretrained_cfg(model_name)
    if own is not None and own.fixed_input_size:
        options['img_size'] = tuple(size)
    head = dict(type='LinearClsHead', num_classes=2)
    kinds = dict(
        classifier=dict(type='GuidedTimmClassifier', num_classes=2, **options),
        backbone=dict(
            type='GuidedClassifier',
            head=head,
            neck=dict(type='GlobalAveragePooling'),
            backbone=dict(type='GuidedTIMMBackbone', **options),
        ),
    )
    trained = []
    for kind, cfg in kinds.items():
        try:
            model = build(dict(cfg, guidance=dict(type='CausalFocusLoss')))
        except ValueError as error:
            if 'GuidedT' not in str(error):
                raise
            continue  # refused at build, with the other as remedy
        images, samples, masks = images_and_masks(size)
        loss = model(images, samples, 'loss', masks)['loss_focus']
        loss.backward()
        if not (
            loss.isfinite()
            and any(p.grad is not None and p.grad.any() for p in model.parameters())
        ):
            return dict(verdict='wrong', reason=f'no gradient as a {kind}')
        trained.append(kind)
    return dict(trained=', '.join(trained))


def images_and_masks(size: tuple[int, int]) -> tuple[Tensor, list, MaskBatch]:
    samples = [DataSample().set_gt_label(label) for label in (0, 1)]
    mask = torch.zeros(2, 1, *size, dtype=torch.uint8)
    mask[:, :, : size[0] // 2] = 1
    return (
        torch.randn(2, 3, *size),
        samples,
        MaskBatch(
            mask,
            torch.zeros(2, *size, dtype=torch.bool),
            torch.ones(2, dtype=torch.bool),
            None,
            torch.tensor(0.0),
        ),
    )


def check_zoo_backbone(name: str) -> dict:
    cfg = without_pretrained(stock(name.split('/', 1)[1]).model)
    cfg.head = None  # a stock head that cannot be built is not the backbone's fault
    torch.manual_seed(0)
    model = build(cfg)
    first = next((m for m in model.modules() if isinstance(m, nn.Conv2d)), None)
    channels = 1 if first is not None and first.in_channels == 1 else 3
    own = cfg.backbone.get('img_size') or (32 if channels == 1 else 299)
    own = (own, own) if isinstance(own, int) else own
    model, inputs, activation = first_that_runs(
        lambda size: model, (*SIZES[:3], own), channels
    )
    return verdict(locate(model), inputs, activation, zoo_reference(model, inputs))
