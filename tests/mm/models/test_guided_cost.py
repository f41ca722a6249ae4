"""What a guided step costs a GPU, counted where there is none."""

import copy
from contextlib import ExitStack
from unittest import mock

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from PIL import Image
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cfcn_plugin import unguide_config
from cfcn_plugin.mm.models.guided import GUIDED_TYPES

# Stands for a GPU: apart from the host, and without a value to read
DEVICE = 'meta'
SIZE = 32
STOCK = {guided: stock for stock, guided in GUIDED_TYPES.items()}
aten = torch.ops.aten


class FromPython(TorchFunctionMode):
    """Tells when Python's numbers are made a tensor on the device."""

    def __init__(self, tell):
        super().__init__()
        self.tell = tell

    def __torch_function__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        makes = function in (
            torch.tensor,
            torch.as_tensor,
            torch.asarray,
            torch.Tensor.new_tensor,
        )
        by_list = function in (torch.Tensor.__getitem__, torch.Tensor.__setitem__) and (
            list in map(type, args[1] if isinstance(args[1], tuple) else [args[1]])
        )
        if (makes and on(DEVICE, out)) or (by_list and on(DEVICE, args[0])):
            self.tell()
        return out


class Traffic(TorchDispatchMode):
    """Counts what crosses between the host and the device, and what convolves.

    Attributes:
        reads: Device to host: copies, scalars, and ops whose output's shape depends on
            values, for which the host waits.
        writes: Host to device.
        forward, backward: Convolutions.
    """

    def __init__(self):
        super().__init__()
        self.reads = self.writes = self.forward = self.backward = 0
        self._around = ExitStack()

    def __enter__(self):
        self._around.enter_context(FromPython(self._write))
        # autocast does not know this device, and is off here anyway
        self._around.enter_context(mock.patch('torch.autocast', autocast))
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self._around.close()

    def _write(self):
        self.writes += 1

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        self.forward += function is aten.convolution.default
        self.backward += function is aten.convolution_backward.default
        tensors = [
            t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)
        ]
        if not any(on(DEVICE, t) for t in tensors):
            if function is aten._to_copy.default and to_device(kwargs):
                self.writes += 1
            return function(*args, **kwargs)
        if function is aten._local_scalar_dense.default:
            self.reads += 1
            return 1.0
        if function is aten._to_copy.default and not to_device(kwargs, DEVICE):
            self.reads += 1
            return torch.zeros(args[0].shape, dtype=kwargs.get('dtype'))
        if function is aten.copy_.default and on('cpu', args[0]):
            self.reads += 1
            return args[0]
        indexed = function in (aten.index.Tensor, aten.index_put_.default)
        by_mask = indexed and any(
            i is not None and i.dtype in (torch.bool, torch.uint8) for i in args[1]
        )
        # one value where a mask is: a masked_fill
        fills = function is aten.index_put_.default and args[2].numel() == 1
        waits = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
        if (by_mask and not fills) or (not indexed and waits & set(function.tags)):
            self.reads += 1
        # a number on the host is an argument of the kernel, not a copy
        moved = function is aten.copy_.default
        self.writes += any(on('cpu', t) and (moved or t.dim()) for t in tensors)
        return function(*args, **kwargs)


def on(device, value):
    return isinstance(value, torch.Tensor) and value.device.type == device


def to_device(kwargs, default='cpu'):
    return torch.device(kwargs.get('device') or default).type == DEVICE


_autocast = torch.autocast


def autocast(device_type, *args, **kwargs):
    return _autocast('cpu' if device_type == DEVICE else device_type, *args, **kwargs)


# ---- the counter counts ------------------------------------------------------


@pytest.mark.parametrize(
    'reads, writes, step',
    [
        (1, 0, lambda x: x.sum().item()),
        (1, 0, lambda x: bool(x.sum() > 0)),
        (1, 0, lambda x: float(x[0, 0])),
        (1, 0, lambda x: x.cpu()),
        (1, 0, lambda x: x.tolist()),
        (1, 0, lambda x: torch.zeros(4).copy_(x[0])),
        (1, 0, lambda x: x.nonzero()),
        (1, 0, lambda x: x[x > 0]),
        (1, 0, lambda x: x.unique()),
        (0, 1, lambda x: torch.ones(3).to(DEVICE)),
        (0, 1, lambda x: torch.from_numpy(np.ones(3)).to(DEVICE, non_blocking=True)),
        (0, 1, lambda x: x[0].copy_(torch.ones(4))),
        (0, 1, lambda x: torch.tensor([1.0, 2.0], device=DEVICE)),
        (0, 1, lambda x: x.new_tensor(1.0)),
        (0, 1, lambda x: x[[0, 1]]),
        (0, 1, lambda x: x[torch.tensor([0, 1])]),
        (0, 0, lambda x: x * 2 + torch.tensor(1.0)),
        (0, 0, lambda x: x.masked_fill(x > 0, 0)),
        (0, 0, lambda x: torch.where(x > 0, x, 0)),
        (0, 0, lambda x: x[torch.zeros(2, dtype=torch.int64, device=DEVICE)]),
        (0, 0, lambda x: x.half().float()),
    ],
)
def test_what_crosses_is_counted(reads, writes, step):
    x = torch.ones(4, 4, device=DEVICE)
    with Traffic() as traffic:
        try:
            step(x)
        except NotImplementedError:  # there is no value to go on with
            assert reads
    assert (traffic.reads, traffic.writes) == (reads, writes)


# ---- a step ------------------------------------------------------------------

CNN = dict(
    type='GuidedClassifier',
    backbone=dict(type='ResNet', depth=18),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=3, in_channels=512),
)
CLASS_MAPS = dict(
    type='GuidedClassifier',
    backbone=dict(type='CFCNNet', filters=[4, 6], strides=2, dropout=0.3),
    head=dict(type='CausalFocusHead', num_classes=3),
)
FEATURE_MAPS = dict(
    CLASS_MAPS,
    head=dict(
        type='CausalFocusHead', num_classes=3, mode='feature', input_size=SIZE // 4
    ),
)
SEVERAL_LABELS = dict(
    CLASS_MAPS, head=dict(type='CausalFocusHead', num_classes=3, multi_label=True)
)
VIT = dict(
    type='GuidedTimmClassifier', model_name='test_vit', img_size=SIZE, num_classes=3
)
RETRIEVER = dict(
    type='GuidedRetriever',
    image_encoder=[dict(type='ResNet', depth=18), dict(type='GlobalAveragePooling')],
    head=dict(type='ArcFaceClsHead', num_classes=3, in_channels=512),
    prototype=torch.zeros(1, 512),
)
SEVERAL_MAPS = dict(
    CNN,
    feature_hook=dict(
        type='FeatureHook', target=['backbone.layer3', 'backbone.layer4']
    ),
)
STEPS = {
    'CFCN on the last map': (CNN, {}),
    'the mean over guided images': (CNN, dict(reduction='guided')),
    'the mask at its own size': (CNN, dict(resize='activation')),
    'micro average': (CNN, dict(average='micro')),
    'several maps': (SEVERAL_MAPS, {}),
    'CFCN-C': (CLASS_MAPS, dict(channels='target')),
    'CFCN-F': (FEATURE_MAPS, {}),
    'several labels': (SEVERAL_LABELS, dict(channels='target')),
    'a mask a class': (SEVERAL_LABELS, dict(channels='per_class')),
    'absent classes as context': (
        SEVERAL_LABELS,
        dict(channels='per_class', absent='context'),
    ),
    'tokens': (VIT, {}),
    'embeddings': (RETRIEVER, {}),
}
OTHER_METHODS = [
    dict(type='CausalFocusLoss', channel_weights='gradient'),
    dict(type='GAINLoss'),
    dict(type='RightReasonsLoss'),
    dict(type='ExplanationLoss'),
    dict(type='ActDiffLoss'),
    dict(type='ConsistencyLoss'),
    [dict(type='CausalFocusLoss'), dict(type='ExplanationLoss')],
    dict(type='UniformContextLoss'),
]


def batch(several_labels=False):
    samples = []
    for index in range(4):
        sample = DataSample().set_gt_label([0, index % 3][: 1 + several_labels])
        sample.set_field(index < 3, 'guided')
        sample.set_field(False, 'mask_error')
        if index < 3:
            planes = np.eye(SIZE, dtype=np.uint8)[None].repeat(1 + several_labels, 0)
            sample.set_field(planes, 'activation_mask')
            sample.set_field(1 - planes[0], 'ignore_mask')
            if several_labels:
                sample.set_field(np.array([0, index % 3]), 'mask_classes')
        samples.append(sample)
    return dict(
        inputs=[torch.ones(3, SIZE, SIZE, dtype=torch.uint8)] * 4, data_samples=samples
    )


def step(cfg, guidance, **changes):
    """The traffic of a train step; without guidance, of the stock model's."""
    cfg = dict(
        copy.deepcopy(cfg),
        guidance=guidance,
        **changes,
        data_preprocessor=dict(mean=[0, 0, 0], std=[255, 255, 255], num_classes=3),
    )
    if guidance is None:
        cfg = {k: v for k, v in cfg.items() if k not in ('guidance', 'feature_hook')}
        cfg['type'] = STOCK[cfg['type']]
        if cfg['type'] == 'ImageClassifier' and cfg['head'].get('in_channels') is None:
            cfg['head']['in_channels'] = 6
    model = MODELS.build(cfg)
    model.to(DEVICE).train()
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
    data = batch(several_labels=cfg.get('head', {}).get('multi_label', False))
    with Traffic() as traffic:
        model.train_step(data, optimizer)
    return traffic


@pytest.mark.parametrize('name', STEPS)
def test_a_step_reads_nothing_and_writes_the_masks_in_one_copy(name):
    cfg, options = STEPS[name]
    plain = step(cfg, None)
    guided = step(cfg, dict(type='CausalFocusLoss', **options))
    assert guided.reads == plain.reads == (cfg is RETRIEVER)  # ArcFace's own
    assert plain.writes > 1  # images, labels
    assert guided.writes == plain.writes + 1
    assert plain.forward == plain.backward > 0
    assert (guided.forward, guided.backward) == (plain.forward, plain.backward)


@pytest.mark.parametrize('guidance', OTHER_METHODS, ids=str)
def test_other_methods_read_nothing_either(guidance):
    plain, guided = step(CNN, None), step(CNN, guidance)
    assert guided.reads == 0
    assert guided.writes <= plain.writes + 1


def test_background_swaps_read_nothing():
    augments = dict(augments=[dict(type='BackgroundSwap', prob=1.0)])
    traffic = step(CNN, dict(type='CausalFocusLoss'), train_cfg=augments)
    assert traffic.reads == 0


# ---- a run -------------------------------------------------------------------

ITERATIONS = 3
HOOKS = [
    dict(type='GuidanceCheckHook'),
    dict(type='ResolvedConfigHook'),
    dict(type='BatchedLogHook'),
    dict(type='CheckInvalidLossHook', interval=1),
    dict(type='DeadMapHook', interval=1),
    dict(type='GuidanceWarmUpHook', iters=2),
]


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    root = tmp_path_factory.mktemp('data')
    for number in range(4):
        for folder, pixels in (
            ('images', np.zeros((SIZE, SIZE, 3), np.uint8)),
            ('masks', np.eye(SIZE, dtype=np.uint8)),
        ):
            file = root / folder / str(number % 2) / f'{number}.png'
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(file)
    return root


def run(data_root, work_dir, guidance, hooks):
    """The traffic of a run's iterations, hooks and all; or of the stock config's."""
    source = dict(
        type='PNGMasks', masks='masks', images='images', data_root=str(data_root)
    )
    cfg = Config(
        dict(
            default_scope='mmpretrain',
            experiment_name=str(work_dir),
            log_level='ERROR',
            work_dir=str(work_dir),
            model=dict(
                copy.deepcopy(CNN),
                guidance=guidance,
                head=dict(type='LinearClsHead', num_classes=2, in_channels=512),
            ),
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='InfiniteSampler', shuffle=False),
                dataset=dict(
                    type='CustomDataset',
                    data_root=str(data_root),
                    data_prefix='images',
                    pipeline=[
                        dict(type='LoadImageFromFile'),
                        dict(type='LoadActivationMask', source=source),
                        dict(type='PackGuidedInputs'),
                    ],
                ),
            ),
            train_cfg=dict(by_epoch=False, max_iters=ITERATIONS),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            default_hooks=dict(checkpoint=None),
            custom_hooks=hooks,
        )
    )
    if guidance is None:
        cfg = unguide_config(cfg)
    runner = Runner.from_cfg(cfg)
    runner.model.to(DEVICE)
    traffic, iterate = Traffic(), runner.train_loop.run_iter

    def counted(data_batch):
        with traffic:
            iterate(data_batch)

    with (
        mock.patch.object(runner.train_loop, 'run_iter', counted),
        mock.patch.object(type(runner.model), 'init_weights'),
    ):  # it reads them
        runner.train()
    assert runner.iter == ITERATIONS
    return traffic


def test_a_run_reads_as_often_as_the_plain_one(data_root, tmp_path):
    plain = run(data_root, tmp_path / 'plain', None, [])
    guided = run(data_root, tmp_path / 'guided', dict(type='CausalFocusLoss'), HOOKS)
    assert plain.reads == ITERATIONS  # the loss, for the log
    assert guided.reads == plain.reads
    assert guided.writes == plain.writes + ITERATIONS
    assert (guided.forward, guided.backward) == (plain.forward, plain.backward)


def test_without_the_hook_each_number_of_the_log_is_read_alone(data_root, tmp_path):
    traffic = run(data_root, tmp_path, dict(type='CausalFocusLoss'), [])
    assert traffic.reads > 2 * ITERATIONS
