"""Public data sets, written in the layout that the shipped configs read."""
