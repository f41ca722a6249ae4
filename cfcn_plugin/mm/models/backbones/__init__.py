"""Backbones of ours."""

from .cfcn_net import CFCNNet
from .timm_backbone import GuidedTIMMBackbone

__all__ = ['CFCNNet', 'GuidedTIMMBackbone']
