"""A guided step in lower precision has the losses of float32, and trains."""

import pytest
import torch
from guided_step import GuidedStep, focus_step

from cfcn_plugin.guidance import CausalFocusLoss, GAINLoss, RightReasonsLoss

DTYPES = [torch.bfloat16, torch.float16]


@pytest.mark.parametrize('dtype', DTYPES, ids=str)
def test_losses_under_autocast_are_those_of_float32(device, dtype):
    step = focus_step(device)
    step.model.eval()  # of the same statistics twice
    _, expected = step.losses()
    with torch.autocast(device, dtype):
        _, guidance = step.losses()
    assert guidance.dtype == torch.float32
    # of maps with 8 bits of mantissa
    torch.testing.assert_close(guidance, expected, atol=0.01, rtol=0)


@pytest.mark.gpu
@pytest.mark.parametrize(
    'method',
    [CausalFocusLoss(), GAINLoss(), RightReasonsLoss(loss_weight=0.1)],
    ids=lambda method: type(method).__name__,
)
def test_float16_with_a_scaler_trains(method):
    step = GuidedStep('cuda', method)
    scaler = torch.amp.GradScaler('cuda')
    found = []
    for _ in range(30):
        step.optimizer.zero_grad()
        with torch.autocast('cuda', torch.float16):
            loss = sum(step.losses())
        scaler.scale(loss).backward()
        scaler.step(step.optimizer)
        scaler.update()
        found.append(loss.item())
    assert all(torch.tensor(found).isfinite())
    assert sum(found[-5:]) < sum(found[:5])
    # a scale that falls in each step says that gradients overflow for good
    assert scaler.get_scale() >= 2.0**8


@pytest.mark.gpu
def test_a_map_that_float16_cannot_sum_is_summed_in_float32():
    from cfcn_plugin.functional import causal_focus_loss

    maps = torch.full((2, 4, 112, 112), 60_000.0, device='cuda', dtype=torch.float16)
    mask = torch.zeros(2, 1, 112, 112, device='cuda')
    mask[..., :56] = 1
    torch.testing.assert_close(causal_focus_loss(maps, mask).item(), 0.5)
