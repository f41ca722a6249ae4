"""The host waits for the device nowhere in a guided step."""

from contextlib import contextmanager

import pytest
import torch
from guided_step import GuidedStep

from benchmarks.steps import CFCN, RESNET_18, Trained
from cfcn_plugin import guidance
from cfcn_plugin.guidance import CausalFocusLoss

METHODS = dict(
    focus=CausalFocusLoss,
    guided=lambda: CausalFocusLoss(reduction='guided'),
    weighted=lambda: CausalFocusLoss(average='micro', channel_weights='gradient'),
    gain=guidance.GAINLoss,
    reasons=guidance.RightReasonsLoss,
    explanation=guidance.ExplanationLoss,
    actdiff=lambda: guidance.ActDiffLoss(context='zero'),
    consistency=guidance.ConsistencyLoss,
    uniform=guidance.UniformContextLoss,
)


@contextmanager
def no_waiting(device):
    """Where PyTorch would wait for the device, it raises instead."""
    if device == 'cpu':
        yield
        return
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode('error')
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


@pytest.mark.gpu
def test_waiting_is_an_error_here():
    one = torch.ones((), device='cuda')
    with no_waiting('cuda'), pytest.raises(RuntimeError, match='synchron'):
        one.item()


@pytest.mark.parametrize('name', METHODS)
def test_a_guided_step_of_a_plain_loop_waits_nowhere(device, name):
    step = GuidedStep(device, METHODS[name](), images=8 if device == 'cuda' else 4)
    step()  # kernels are chosen, and buffers go to the device
    with no_waiting(device):
        loss = step()
    assert loss.isfinite()


def test_a_guided_step_of_mmpretrain_waits_nowhere(device):
    trained = Trained(RESNET_18, CFCN, 32, 4, device)
    trained.step(trained.batch())
    data = trained.model.data_preprocessor(trained.batch(), True)
    with no_waiting(device):
        losses = trained.model(**data, mode='loss')
        total, _ = trained.model.parse_losses(losses)
        total.backward()  # a scaler reads whether gradients are finite, in any step
    assert total.isfinite()
