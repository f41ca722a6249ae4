"""Configs of guided models of mmpretrain that take milliseconds."""


def small_vit(img_size: int, patch_size: int, **backbone) -> dict:
    """Without BatchNorm: a step does not depend on how a batch is cut."""
    arch = dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32)
    sizes = dict(img_size=img_size, patch_size=patch_size)
    return dict(
        type='GuidedClassifier',
        backbone=dict(type='VisionTransformer', arch=arch, **sizes, **backbone),
        head=dict(type='VisionTransformerClsHead', num_classes=3, in_channels=16),
    )


SMALL_CNN = dict(
    type='GuidedClassifier',
    backbone=dict(type='CFCNNet', filters=[4, 6], strides=4, dropout=0.0),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=3),
    guidance=dict(type='CausalFocusLoss'),
)
