"""The plain convolution stacks of the paper."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import nn

from cfcn_plugin.options import check_number, check_whole
from cfcn_plugin.stock import STAYS


class CFCNNet(BaseModule):
    """Plain stack of 3x3 convolutions (CFCN, Table 4).

    Each layer is convolution, batch norm, ReLU, dropout. The paper does not say the
    filter size, nor where ReLU sits: 3x3 and after batch norm are our choice.

    Args:
        filters: Filters of each convolution (Pets: 128,128,64,64,32,32,16,16).
        strides: Stride of each, or one for all (Aeroplane-Cow: 2 in every second).
        dropout: Dropout probability in [0, 1) (0.3 in Table 4, 0 for Brain MRI).
        in_channels: Channels of the images.
        init_cfg: As in every mm module.
    """

    stock = STAYS

    def __init__(
        self,
        filters: Sequence[int],
        strides: int | Sequence[int] = 1,
        dropout: float = 0.3,
        in_channels: int = 3,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        check_whole('in_channels', in_channels, least=1)
        check_number('dropout', dropout, least=0, most=1)
        if not isinstance(filters, Sequence):
            raise TypeError(f'`filters` must be a list of numbers, got {filters!r}')
        if not isinstance(strides, Sequence):
            strides = [strides] * len(filters)
        for name, values in (('filters', filters), ('strides', strides)):
            for value in values:
                check_whole(name, value, least=1)
        if not filters or len(strides) != len(filters):
            raise ValueError(
                f'`strides` must be one number or one a convolution: got '
                f'{len(strides)} for {len(filters)} filters'
            )
        widths = [in_channels, *filters]
        self.layers = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
                    nn.BatchNorm2d(after),
                    nn.ReLU(inplace=True),
                    nn.Dropout(dropout),
                )
                for before, after, stride in zip(widths, filters, strides)
            )
        )
        self.out_channels = filters[-1]

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        """(B, in_channels, H, W) to a tuple of one (B, F, h, w) map."""
        return (self.layers(x),)
