"""A guided step takes the plain step's memory."""

import gc

import pytest
import torch
from guided_step import GuidedStep

from cfcn_plugin.guidance import CausalFocusLoss

pytestmark = pytest.mark.gpu


def peak(name, method):
    step = GuidedStep('cuda', method, name)
    step()
    torch.cuda.reset_peak_memory_stats()
    with torch.autocast('cuda', torch.float16):
        step()
    found = torch.cuda.max_memory_allocated()
    del step
    gc.collect()
    torch.cuda.empty_cache()
    return found


@pytest.mark.parametrize('name', ['resnet50', 'vit_small_patch16_224'])
def test_peak_memory_is_that_of_the_plain_step(name, fact):
    guided, plain = peak(name, CausalFocusLoss()), peak(name, None)
    fact(
        f'peak memory, guided over plain: {name}, 64 x 224 px, float16',
        f'{guided / plain:.3f}; plain {plain / 2**20:.0f} MiB',
    )
    assert guided <= 1.02 * plain
