"""The most bytes that a step holds at once."""
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile


def peak_bytes(run: Callable[[], None], resident: Iterable[Tensor],
               device: str = 'cpu') -> int:
    """Peak of what PyTorch allocates while ``run`` runs, and what was there before.

    On a CPU the profiler tells each allocation and release; scratch memory that
    oneDNN keeps for itself is not in it. On a GPU, ``torch.cuda.max_memory_allocated``.

    Args:
        run: A step.
        resident: Tensors that are there before it (parameters, the batch ...).
        device: Where.
    """
    if device.startswith('cuda'):
        torch.cuda.reset_peak_memory_stats(device)
        run()
        return torch.cuda.max_memory_allocated(device)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    events = [e for e in profiler.profiler.kineto_results.events()
              if e.name() == '[memory]']
    now = highest = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        now += event.nbytes()
        highest = max(highest, now)
    return highest + sum(t.untyped_storage().nbytes() for t in resident)
