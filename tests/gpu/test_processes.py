"""NCCL: the gradient of one process a GPU is that of the joined batch."""

import pytest
import torch
from gloo_processes import run_in_processes
from guided_step import focus_step
from torch.nn.parallel import DistributedDataParallel

from cfcn_plugin import MaskBatch


def gradient_of_a_rank(rank, count, device):
    """Of the rank's rows of the batch, averaged over processes."""
    if device == 'cuda':
        torch.cuda.set_device(rank)
    step = focus_step(device, images=4 * count)
    step.model.eval()  # BatchNorm would see another batch
    rows = slice(4 * rank, 4 * rank + 4)
    step.images, step.labels = step.images[rows], step.labels[rows]
    step.masks = MaskBatch(step.masks.mask[rows], None, step.masks.guided[rows])
    if count > 1 or torch.distributed.is_initialized():
        step.run = DistributedDataParallel(
            step.model, device_ids=[rank] if device == 'cuda' else None
        )
    sum(step.losses()).backward()
    return {name: p.grad.cpu() for name, p in step.model.named_parameters()}


@pytest.mark.parametrize(
    'device,backend',
    [
        pytest.param('cpu', 'gloo', marks=pytest.mark.slow),
        pytest.param('cuda', 'nccl', marks=pytest.mark.gpu),
    ],
)
def test_the_gradient_of_all_processes_is_that_of_the_joined_batch(
    device, backend, fact
):
    count = max(1, torch.cuda.device_count()) if device == 'cuda' else 2
    fact('processes of NCCL', count)
    joined = focus_step(device, images=4 * count)
    joined.model.eval()
    sum(joined.losses()).backward()
    for found in run_in_processes(
        gradient_of_a_rank, count, count, device, backend=backend
    ):
        for name, p in joined.model.named_parameters():
            torch.testing.assert_close(
                found[name], p.grad.cpu(), atol=1e-4, rtol=1e-3, msg=name
            )
