"""Many normal training runs from one file: a grid, its runs, tables and a report."""
