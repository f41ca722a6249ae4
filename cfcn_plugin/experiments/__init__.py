"""Grids of training runs: the grid file, its runs, tables and a report."""
