"""Mixed precision on CPUs."""

from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from cfcn_plugin.stock import Stock


class CPUAmpOptimWrapper(OptimWrapper):
    """``OptimWrapper`` with bfloat16 autocast in the forward pass.

    mmengine's ``AmpOptimWrapper`` refuses CPUs. bfloat16 has the range of float32, so
    losses need no scaling.
    """

    stock = Stock('AmpOptimWrapper', new_keys=dict(dtype='bfloat16'))

    @contextmanager
    def optim_context(self, model: nn.Module):
        with super().optim_context(model), torch.autocast('cpu', torch.bfloat16):
            yield
