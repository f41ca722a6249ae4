"""Heads of ours."""

from .causal_focus_head import CausalFocusHead

__all__ = ['CausalFocusHead']
