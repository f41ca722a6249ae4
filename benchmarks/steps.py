"""A guided training step over the plain step of the stock model."""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

import cfcn_plugin.mm  # noqa: F401  (registers the guided models)
from cfcn_plugin.mm.models.guided import GUIDED_TYPES

from .memory import peak_bytes
from .pairs import Line, Ratio, Turn, ratio_of

CFCN = dict(type='CausalFocusLoss')
FULL = 256  # images in a batch of a GPU
SWAP = dict(type='BackgroundSwap', prob=1.0, border=1.5, hole='box')  # 'pretrained'
RESNET = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=50),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=1000, in_channels=2048),
)
RESNET_18 = dict(
    RESNET,
    backbone=dict(type='ResNet', depth=18),
    head=dict(type='LinearClsHead', num_classes=1000, in_channels=512),
)
VIT = dict(
    type='ImageClassifier',
    backbone=dict(type='VisionTransformer', arch='deit-small', patch_size=16),
    head=dict(type='VisionTransformerClsHead', num_classes=1000, in_channels=384),
)
PAPER = dict(  # Table 4 of the paper, Pets, CFCN-C
    type='ImageClassifier',
    backbone=dict(type='CFCNNet', filters=[128, 128, 64, 64, 32, 32, 16, 16]),
    head=dict(type='CausalFocusHead', num_classes=2, in_channels=16),
)


def on_gpu(device: str) -> bool:
    """Whether steps are in float16 with a scaler, of full batches."""
    return device.startswith('cuda')


def guided_over_plain(
    pairs: int, device: str = 'cpu', tiny: bool = False
) -> Iterator[Line]:
    """A step with CFCN over the stock model's step, in time and in peak memory."""
    images = FULL if on_gpu(device) else 2
    for name, model, guidance, size, aim in (
        ('ResNet-50, 224 px', RESNET, CFCN, 224, 1.02),
        ('ViT-S/16, 224 px', VIT, CFCN, 224, 1.02),
        ("the paper's network, 96 px", PAPER, dict(CFCN, channels='target'), 96, 1.05),
    ):
        if tiny:
            model, size, images = shrunk(model), 32, 2
        yield from _compare(
            f'guided step over plain: {name}',
            model,
            guidance,
            size,
            images,
            pairs,
            device,
            aim,
            1.02,
        )


def other_methods(
    pairs: int, device: str = 'cpu', tiny: bool = False
) -> Iterator[Line]:
    """Steps of other guidance methods over the plain step."""
    size, images = 224, 64 if on_gpu(device) else 2
    if tiny:
        size, images = 32, 2
    for guidance in (dict(type='GAINLoss'), dict(type='RightReasonsLoss')):
        yield from _compare(
            f'{guidance["type"]} step over plain: ResNet-18, 224 px',
            RESNET_18,
            guidance,
            size,
            images,
            pairs,
            device,
        )


def swap_over_plain(
    pairs: int, device: str = 'cpu', tiny: bool = False
) -> Iterator[Line]:
    """A step whose images all get another background over the plain step."""
    model, size, images = RESNET, 224, FULL if on_gpu(device) else 2
    if tiny:
        model, size, images = shrunk(model), 32, 2
    yield from _compare(
        'step with BackgroundSwap over plain: ResNet-50, 224 px',
        model,
        None,
        size,
        images,
        pairs,
        device,
        1.1,
        augments=SWAP,
    )


def shrunk(model: dict) -> dict:
    """A small model of the same kind, for a smoke test."""
    model = copy.deepcopy(model)
    if model['backbone']['type'] == 'ResNet':
        return copy.deepcopy(RESNET_18)
    if model['backbone']['type'] == 'VisionTransformer':
        model['backbone'].update(
            img_size=32,
            arch=dict(
                embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32
            ),
        )
        model['head']['in_channels'] = 16
    else:
        model['backbone']['filters'] = [4, 16]
    return model


def _compare(
    what: str,
    model: dict,
    guidance: dict | None,
    size: int,
    images: int,
    pairs: int,
    device: str,
    time_aim: float | None = None,
    memory_aim: float | None = None,
    augments: dict | None = None,
) -> Iterator[Line]:
    guided = Trained(model, guidance, size, images, device, augments)
    plain = Trained(model, None, size, images, device)
    ratio, took = ratio_of(guided.turn, plain.turn, pairs, device)
    yield Line(
        f'{what}, batch of {images}, time', ratio, time_aim, f'{1000 * took:.0f} ms'
    )
    bytes_of = [trained.peak_bytes() for trained in (guided, plain)]
    ratio = bytes_of[0] / bytes_of[1]
    yield Line(
        f'{what}, peak memory',
        Ratio(ratio, ratio, ratio, 1),
        memory_aim,
        f'{bytes_of[1] / 2**20:.0f} MiB',
    )


class Trained:
    """A model with its optimizer and a batch.

    Args:
        model: Config of a stock model.
        guidance: Config of a guidance method, or None.
        size: Height and width of the images, in pixels.
        images: Batch size.
        device: The device of the model.
        augments: Config of a batch augment that uses masks, or None. Without it and
            ``guidance`` the model is the unchanged stock model.
    """

    def __init__(
        self,
        model: dict,
        guidance: dict | None,
        size: int,
        images: int,
        device: str = 'cpu',
        augments: dict | None = None,
    ):
        torch.manual_seed(0)
        model = dict(
            copy.deepcopy(model),
            data_preprocessor=dict(
                mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
            ),
        )
        self.guided = guidance is not None or augments is not None
        if self.guided:
            model.update(
                type=GUIDED_TYPES[model['type']], guidance=copy.deepcopy(guidance)
            )
        if augments is not None:
            model['train_cfg'] = dict(augments=dict(augments))
            model['data_preprocessor']['num_classes'] = model['head']['num_classes']
        self.model = MODELS.build(model).to(device).train()
        sgd = torch.optim.SGD(self.model.parameters(), lr=1e-4, momentum=0.9)
        self.optimizer = (
            AmpOptimWrapper(optimizer=sgd, dtype='float16')
            if on_gpu(device)
            else OptimWrapper(sgd)
        )
        self.device = device
        generator = torch.Generator().manual_seed(0)
        self.images = torch.randint(
            0, 256, (images, 3, size, size), generator=generator, dtype=torch.uint8
        )
        self.masks = np.zeros((images, size, size), np.uint8)
        self.masks[:, size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 1

    @property
    def turn(self) -> Turn:
        return Turn(self.step, self.batch)

    def batch(self, pair: int = 0) -> dict:
        """A batch as from a data loader; a step removes the masks from the batch."""
        samples = []
        for index, mask in enumerate(self.masks):
            sample = DataSample().set_gt_label(index % 2)
            if self.guided:
                sample.set_field(mask, 'activation_mask')
                sample.set_field(True, 'guided')
            samples.append(sample)
        return dict(inputs=list(self.images), data_samples=samples)

    def step(self, batch: dict) -> None:
        self.model.train_step(batch, self.optimizer)

    def peak_bytes(self) -> int:
        batch = self.batch()
        states = [
            value
            for state in self.optimizer.optimizer.state.values()
            for value in state.values()
            if isinstance(value, torch.Tensor)
        ]
        resident = [
            *self.model.parameters(),
            *self.model.buffers(),
            *states,
            self.images,
        ]
        return peak_bytes(lambda: self.step(batch), resident, self.device)
