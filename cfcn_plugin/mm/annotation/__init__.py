"""Data sets of configs, for the tools that convert and validate masks."""
