"""Readers of file formats, and drawing of shapes, for the mask sources."""
