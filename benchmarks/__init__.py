"""What guidance costs, as ratios: ``python -m benchmarks``."""
