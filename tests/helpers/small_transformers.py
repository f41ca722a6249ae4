"""Image classifiers of transformers, small and with random weights, from configs."""

import torch
import transformers
from torch import nn

WIDTHS = [8, 8, 16, 16]
VIT = dict(
    hidden_size=20,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=40,
    image_size=64,
    patch_size=16,
)
STAGES = dict(hidden_sizes=WIDTHS, depths=[1, 1, 1, 1])
SWIN = dict(image_size=64, embed_dim=8, depths=[1, 1], num_heads=[1, 1], window_size=4)
# name of the classes, before Config and ForImageClassification -> the config
SMALL = {
    'Beit': VIT,
    'Bit': dict(STAGES, embedding_size=8, num_groups=4),
    'CLIP': dict(vision_config=VIT),
    'ConvNext': STAGES,
    'ConvNextV2': STAGES,
    'Cvt': dict(embed_dim=[8, 8, 16], depth=[1, 2, 3], num_heads=[1, 1, 1]),
    'Data2VecVision': VIT,
    'DeiT': VIT,
    'Dinov2': VIT,
    'Dinov2WithRegisters': VIT,
    'DonutSwin': SWIN,
    'EfficientNet': dict(hidden_dim=320, width_coefficient=0.25, depth_coefficient=0.1),
    'FocalNet': dict(
        image_size=64,
        embed_dim=8,
        depths=[1, 1],
        focal_levels=[1, 1],
        focal_windows=[3, 3],
    ),
    'HGNetV2': dict(),
    'Hiera': dict(
        image_size=[64, 64], embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1]
    ),
    'IJepa': VIT,
    'Levit': dict(
        image_size=128,
        hidden_sizes=[16, 16, 16],
        depths=[1, 1, 1],
        num_attention_heads=[2, 2, 2],
        key_dim=[8, 8, 8],
    ),
    'MetaClip2': dict(vision_config=VIT),
    'MobileNetV1': dict(depth_multiplier=0.25),
    'MobileNetV2': dict(depth_multiplier=0.35),
    'MobileViT': dict(
        image_size=64,
        hidden_sizes=[12, 16, 20],
        neck_hidden_sizes=[8, 8, 8, 8, 12, 12, 24],
    ),
    'MobileViTV2': dict(image_size=64, width_multiplier=0.25, n_attn_blocks=[1, 1, 1]),
    'PPLCNet': dict(),
    'PoolFormer': STAGES,
    'Pvt': dict(STAGES, image_size=64, num_attention_heads=[1, 1, 1, 1]),
    'PvtV2': dict(STAGES, image_size=64, num_attention_heads=[1, 1, 1, 1]),
    'RegNet': dict(STAGES, embedding_size=8, groups_width=4),
    'ResNet': dict(STAGES, embedding_size=8),
    'Segformer': dict(STAGES, num_attention_heads=[1, 1, 1, 1]),
    'Siglip': dict(vision_config=VIT),
    'SwiftFormer': dict(embed_dims=WIDTHS, depths=[1, 1, 1, 1]),
    'Swin': SWIN,
    'Swinv2': SWIN,
    'TextNet': dict(),
    'ViT': VIT,
    'ViTMSN': VIT,
}


def small(name: str, head: str = 'ForImageClassification', **options) -> nn.Module:
    """A classifier of three classes, in evaluation mode."""
    config = getattr(transformers, f'{name}Config')(
        **{**SMALL[name], 'num_labels': 3, **options}
    )
    torch.manual_seed(0)
    model = getattr(transformers, name + head)(config)
    size = getattr(config, 'image_size', 64)
    return lively(model, size if isinstance(size, int) else 64)


@torch.no_grad()
def lively(model: nn.Module, size: int) -> nn.Module:
    """With weights by which no map is almost 0, as some are by their own."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.reset_parameters()
            module.momentum = 1.0
            model.train()
    if model.training:
        model(torch.randn(4, 3, size, size))
    return model.eval()
