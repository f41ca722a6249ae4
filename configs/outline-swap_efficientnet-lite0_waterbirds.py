# The best here (docs/results/waterbirds.md): boxes become outlines by GrabCut, and each
# bird is pasted on another background.
_base_ = './swap-balanced_efficientnet-lite0_waterbirds.py'
load_outline = dict(
    type='LoadActivationMask',
    source={{_base_.load_mask.source}},
    refine=dict(type='GrabCut', cache='work_dirs/outlines/waterbirds'),
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    load_outline,
    dict(
        type='MaskAware',
        transform=dict(
            type='RandomResizedCrop', scale=112, crop_ratio_range=(0.5, 1.0)
        ),
    ),
    dict(
        type='MaskAware',
        transform=dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    ),
    dict(type='PackGuidedInputs'),
]
model = dict(train_cfg=dict(augments=dict(prob=1.0, border=1.0, hole='box')))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
