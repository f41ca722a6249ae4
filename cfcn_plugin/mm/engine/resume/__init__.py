"""Runs that can go on after a kill, from complete checkpoints."""
