"""Data sets from configs, for the conversion and validation of masks."""
