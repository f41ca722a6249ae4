"""Mixed precision where there is no GPU."""
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from cfcn_plugin.stock import Stock


class CPUAmpOptimWrapper(OptimWrapper):
    """``OptimWrapper`` whose forward pass runs in bfloat16 where torch deems it safe.

    mmengine's ``AmpOptimWrapper`` refuses CPUs. bfloat16 has float32's range, so that
    losses need no scaling.
    """
    stock = Stock('AmpOptimWrapper', new_keys=dict(dtype='bfloat16'))

    @contextmanager
    def optim_context(self, model: nn.Module):
        with super().optim_context(model), torch.autocast('cpu', torch.bfloat16):
            yield
