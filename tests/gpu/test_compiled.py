"""torch.compile and CUDA graphs run the same guided step."""

import pytest
import torch
from guided_step import focus_step

from benchmarks.loss import SHAPES
from benchmarks.pairs import Turn, ratio_of
from cfcn_plugin.functional import causal_focus_loss

pytestmark = pytest.mark.gpu
STEPS = 3


@pytest.fixture(autouse=True)
def compiler():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.fixture
def eager():
    """The losses of the first steps."""
    step = focus_step('cuda', images=16)
    return torch.stack([step() for _ in range(STEPS)])


@pytest.mark.parametrize('mode', ['default', 'reduce-overhead'])
def test_a_compiled_model_takes_the_steps_of_the_eager_one(eager, mode):
    step = focus_step('cuda', images=16)
    step.run = torch.compile(step.model, mode=mode)
    found = []
    for _ in range(STEPS):
        torch.compiler.cudagraph_mark_step_begin()
        found.append(step().clone())
    # inductor's kernels round differently
    torch.testing.assert_close(torch.stack(found), eager, atol=2e-2, rtol=2e-2)


def test_a_whole_step_is_captured_in_a_cuda_graph(eager):
    step = focus_step('cuda', images=16)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # as CUDA graphs want their warm-up
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    step.optimizer.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        loss = sum(step.losses())
        loss.backward()
        step.optimizer.step()
    step.restart()
    found = []
    for _ in range(STEPS):
        graph.replay()
        found.append(loss.detach().clone())
    torch.testing.assert_close(torch.stack(found), eager, atol=2e-2, rtol=2e-2)


@pytest.mark.parametrize('name', SHAPES)
def test_a_compiled_loss_is_the_eager_one(name, fact):
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(SHAPES[name], generator=generator).cuda()
    mask = (
        (torch.rand(len(maps), 1, *maps.shape[2:], generator=generator) > 0.5)
        .float()
        .cuda()
    )
    fused = torch.compile(causal_focus_loss)

    def gradient(function):
        given = maps.detach().requires_grad_()
        loss = function(given, mask)
        loss.backward()
        return loss.detach(), given.grad

    for ours, expected in zip(gradient(fused), gradient(causal_focus_loss)):
        torch.testing.assert_close(ours, expected)
    for what, function in (('eager', causal_focus_loss), ('compiled', fused)):
        ratio, took = ratio_of(
            Turn(lambda _, function=function: gradient(function)),
            Turn(lambda _: maps.clone()),
            10,
            'cuda',
            repeat=20,
        )
        fact(
            f'{what} loss over one copy of {name}',
            f'{ratio}; a copy {took * 1e6:.0f} us',
        )
