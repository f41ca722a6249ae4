"""The cost of guidance, as ratios: ``python -m benchmarks``."""
