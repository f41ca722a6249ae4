"""Preparation of masks before training: drawing, converting, validating."""
