"""Channels last changes how maps lie in memory, and no loss and no gradient."""

import torch
from guided_step import focus_step

from cfcn_plugin.functional import causal_focus_loss


def test_channels_last_has_the_losses_of_the_usual_format(device):
    usual = focus_step(device)
    last = focus_step(device, memory_format=torch.channels_last)
    for ours, expected in zip(last.losses(), usual.losses()):
        # convolutions of the two formats are different kernels
        torch.testing.assert_close(ours, expected, atol=1e-3, rtol=1e-3)


def test_gradient_of_a_map_with_channels_last_is_that_of_the_usual_one(device):
    generator = torch.Generator().manual_seed(0)
    usual = torch.randn(4, 8, 7, 7, generator=generator).to(device)
    mask = (torch.rand(4, 1, 7, 7, generator=generator) > 0.5).float().to(device)
    gradients = []
    for maps in (usual, usual.to(memory_format=torch.channels_last)):
        maps = maps.detach().requires_grad_()
        causal_focus_loss(maps, mask).backward()
        gradients.append(maps.grad)
    torch.testing.assert_close(*gradients)
