"""A mixed precision step on a CPU equals the plain step at bfloat16 precision."""

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmpretrain.registry import MODELS, OPTIM_WRAPPERS
from mmpretrain.structures import DataSample
from small_models import SMALL_CNN

from cfcn_plugin.mm.engine import CPUAmpOptimWrapper


def step(kind):
    """What a step logs, the dtype of the scores, and the weights after it."""
    torch.manual_seed(0)
    model = MODELS.build(SMALL_CNN)
    model.train()
    dtypes = []
    model.head.fc.register_forward_hook(lambda *a: dtypes.append(a[-1].dtype))
    samples = []
    for label in range(3):
        sample = DataSample().set_gt_label(label)
        sample.set_field(True, 'guided')
        sample.set_field(np.eye(32, dtype=np.uint8), 'activation_mask')
        samples.append(sample)
    inputs = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    wrapper = kind(torch.optim.SGD(model.parameters(), lr=0.1))
    logged = model.train_step(dict(inputs=list(inputs), data_samples=samples), wrapper)
    return {k: v.item() for k, v in logged.items()}, dtypes, model.state_dict()


def test_step_is_the_plain_one_to_what_bfloat16_holds():
    plain, dtypes, expected = step(OptimWrapper)
    assert dtypes == [torch.float32]
    mixed, dtypes, found = step(CPUAmpOptimWrapper)
    assert dtypes == [torch.bfloat16]
    assert mixed == pytest.approx(plain, rel=2e-2)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        torch.testing.assert_close(found[name], value, rtol=2e-2, atol=2e-2)


def test_wrapper_is_built_by_its_name():
    assert OPTIM_WRAPPERS.get('CPUAmpOptimWrapper') is CPUAmpOptimWrapper
