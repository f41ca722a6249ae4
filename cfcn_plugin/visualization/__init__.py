"""Figures of focus and masks. This room alone imports matplotlib."""
