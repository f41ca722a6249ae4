"""The paper's two heads: a 1x1 convolution whose maps are guided."""

from collections.abc import Sequence

import torch
from mmpretrain.models.heads import ClsHead, MultiLabelClsHead
from torch import nn

from cfcn_plugin.options import check_choice, check_flag, check_number, check_whole

MODES = ('class', 'feature')


class CausalFocusHead(ClsHead):
    """Classify from maps that guidance compares with the mask.

    ``mode='class'`` (CFCN-C): 1x1 convolution with a filter a class, ReLU, global
    average pooling. ``mode='feature'`` (CFCN-F): 1x1 convolution with ``num_maps``
    filters, ReLU, flatten, linear. The guided map is the convolution's output;
    guidance rectifies it.

    Unlike the paper, multi-label logits of ``'class'`` pool the unrectified map:
    sigmoid(mean(ReLU)) never falls under 0.5. ``relu_logits=True`` is literal.

    Args:
        num_classes: Number of classes C.
        in_channels: Channels of the backbone's map. None: filled in from the layout
            table by the guided classifier.
        mode: ``'class'`` or ``'feature'``.
        num_maps: Filters of ``'feature'`` (16 in the paper, 3 for IDRiD).
        input_size: (h, w) of the backbone's map, or one number for both; needed
            by ``'feature'``.
        multi_label: Whether an image has several labels: sigmoid, not softmax.
        relu_logits: Whether ``'class'`` pools the rectified map. None: for single
            labels yes, for several no.
        logit_scale: Factor > 0 of the logits of ``'class'``, 1 in the paper. The mean
            of a map that is active on a small cause alone is small, so that the class
            loss learns slowly and guidance outweighs it; with 10 it does not
            (docs/results/mri.md).
        loss: Class loss. None: cross entropy, with sigmoid for several labels.
        thr, topk: For several labels, as in ``MultiLabelClsHead``; ``topk`` for one
            label as in ``ClsHead``.
        cal_acc: As in ``ClsHead``.
        init_cfg: As in every mm module.

    Raises:
        ValueError: ``in_channels`` or ``input_size`` is missing, or an option wrong.
    """

    @staticmethod
    def stock(config: dict) -> dict:
        """There is none.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            'CausalFocusHead is not a stock head, so there is no stock config for it: '
            'train with a stock head (LinearClsHead), or export the network itself '
            'with torch.onnx.export or torch.jit.trace'
        )

    def __init__(
        self,
        num_classes: int,
        in_channels: int | None = None,
        mode: str = 'class',
        num_maps: int = 16,
        input_size: int | tuple[int, int] | None = None,
        multi_label: bool = False,
        relu_logits: bool | None = None,
        logit_scale: float = 1.0,
        loss: dict | None = None,
        thr: float | None = None,
        topk: int | tuple[int] | None = None,
        cal_acc: bool = False,
        init_cfg: dict | None = None,
    ):
        check_choice('mode', mode, MODES)
        check_whole('num_classes', num_classes, least=1)
        if in_channels is None:
            raise ValueError(
                'CausalFocusHead needs `in_channels`: give it, or build '
                'the head in a GuidedClassifier, which fills it in'
            )
        if mode == 'feature' and input_size is None:
            raise ValueError(
                "mode='feature' ends in a linear layer and needs "
                '`input_size`, the (h, w) of the map it gets'
            )
        check_whole('in_channels', in_channels, least=1)
        check_whole('num_maps', num_maps, least=1)
        check_flag('multi_label', multi_label)
        check_flag('cal_acc', cal_acc)
        check_flag('relu_logits', relu_logits, optional=True)
        check_number('logit_scale', logit_scale, above=0)
        if mode == 'feature' and logit_scale != 1:
            raise ValueError(
                "`logit_scale` is for mode='class': the linear layer of "
                "mode='feature' learns the scale of its logits"
            )
        if thr is not None:
            check_number('thr', thr)
        for name, sizes in (('input_size', input_size), ('topk', topk)):
            for size in sizes if isinstance(sizes, Sequence) else (sizes,):
                if size is not None:
                    check_whole(name, size, least=1)
        if loss is None:
            loss = dict(type='CrossEntropyLoss', use_sigmoid=multi_label)
        super().__init__(
            loss=loss, topk=topk or (1,), cal_acc=cal_acc, init_cfg=init_cfg
        )
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.mode = mode
        self.maps_are_classes = mode == 'class'
        self.multi_label = multi_label
        self._base = MultiLabelClsHead if multi_label else ClsHead
        self.relu_logits = (not multi_label) if relu_logits is None else relu_logits
        self.logit_scale = logit_scale
        if multi_label:
            self.topk = topk
            self.thr = 0.5 if thr is None and topk is None else thr
        maps = num_classes if mode == 'class' else num_maps
        self.conv = nn.Conv2d(in_channels, maps, 1)
        if mode == 'feature':
            size = (input_size,) * 2 if isinstance(input_size, int) else input_size
            self.input_size = tuple(size)
            self.relu = nn.ReLU()  # a module, so that its output can be hooked
            self.fc = nn.Linear(maps * size[0] * size[1], num_classes)

    @property
    def activation_target(self) -> str:
        """The module of the maps A_f, for ``FeatureHook(target='auto')``."""
        return 'conv' if self.mode == 'class' else 'relu'

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Tuple with the backbone's map (B, in_channels, h, w) last, to (B, C)."""
        maps = self.conv(self._map(feats))
        if self.mode == 'class':
            maps = maps.relu() if self.relu_logits else maps
            return self.logit_scale * maps.mean((2, 3))
        return self.fc(self.relu(maps).flatten(1))

    def _map(self, feats) -> torch.Tensor:
        x = feats[-1] if isinstance(feats, tuple | list) else feats
        if x.dim() != 4 or x.shape[1] != self.in_channels:
            raise ValueError(
                f'CausalFocusHead got {tuple(x.shape)}, expected a map '
                f'(B, {self.in_channels}, h, w): leave `neck` out, and for '
                'transformers use GuidedTIMMBackbone'
            )
        if self.mode == 'feature' and tuple(x.shape[-2:]) != self.input_size:
            raise ValueError(
                f'CausalFocusHead has input_size={self.input_size}, the '
                f'map is {tuple(x.shape[-2:])}: correct `input_size`'
            )
        return x

    # the stock multi-label head's own two methods, on the same attributes
    def _get_loss(self, cls_score, data_samples, **kwargs):
        return self._base._get_loss(self, cls_score, data_samples, **kwargs)

    def _get_predictions(self, cls_score, data_samples):
        return self._base._get_predictions(self, cls_score, data_samples)
