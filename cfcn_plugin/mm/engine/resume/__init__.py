"""Runs that can resume after a kill, from complete checkpoints."""
