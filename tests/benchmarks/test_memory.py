"""Peaks of memory by hand."""

import torch

from benchmarks.memory import peak_bytes


def test_the_peak_is_what_is_there_at_once_and_before():
    there = torch.zeros(1000)  # 4000 bytes

    def run():
        first = torch.zeros(10_000, dtype=torch.uint8)
        del first
        second = torch.zeros(20_000, dtype=torch.uint8)
        third = torch.zeros(5_000, dtype=torch.uint8)
        del second, third

    assert peak_bytes(run, [there]) == 29_000
