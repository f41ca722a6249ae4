"""Peak memory of a step."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile


def peak_bytes(
    run: Callable[[], None], resident: Iterable[Tensor], device: str = 'cpu'
) -> int:
    """The peak of PyTorch's allocations while ``run`` runs, plus the resident tensors.

    On a CPU the profiler reports each allocation and release; oneDNN's own scratch
    memory is not included. On a GPU, ``torch.cuda.max_memory_allocated``.

    Args:
        run: A step.
        resident: Tensors that exist before the step (parameters, the batch ...).
        device: The device of the step.

    Returns:
        Bytes.
    """
    if device.startswith('cuda'):
        torch.cuda.reset_peak_memory_stats(device)
        run()
        return torch.cuda.max_memory_allocated(device)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    events = [
        e for e in profiler.profiler.kineto_results.events() if e.name() == '[memory]'
    ]
    now = highest = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        now += event.nbytes()
        highest = max(highest, now)
    return highest + sum(t.untyped_storage().nbytes() for t in resident)
