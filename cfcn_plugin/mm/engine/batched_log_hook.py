"""Reading a step's log from the device in one copy."""
from functools import reduce

import torch
from mmengine.hooks import Hook

from cfcn_plugin.stock import GOES


class BatchedLogHook(Hook):
    """Copy all numbers that a step logs to the host at once, for the hooks after it.

    mmengine reads each number of the log on its own, each time waiting for the device:
    one of a plain step, six or more of a guided one. With this hook a guided step is
    read as often as a plain one. On a CPU there is nothing to do.
    """
    stock = GOES
    priority = 'HIGHEST'  # before mmengine's RuntimeInfoHook, which reads them

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None) -> None:
        there = {
            key: value.detach() for key, value in (outputs or {}).items()
            if isinstance(value, torch.Tensor) and value.numel() == 1
            and value.device.type != 'cpu'
        }
        if there:
            dtype = reduce(torch.promote_types, (v.dtype for v in there.values()))
            table = torch.stack([v.reshape(()).to(dtype) for v in there.values()])
            outputs.update(zip(there, table.cpu()))
