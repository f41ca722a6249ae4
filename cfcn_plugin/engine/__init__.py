"""Runner hooks and loops of ours."""
from .finite_focus_hook import FiniteFocusHook
from .guidance_check_hook import GuidanceCheckHook
from .probing_loops import ProbingTestLoop, ProbingValLoop
from .resolved_config_hook import ResolvedConfigHook

__all__ = [
    'FiniteFocusHook', 'GuidanceCheckHook', 'ProbingTestLoop', 'ProbingValLoop',
    'ResolvedConfigHook'
]
