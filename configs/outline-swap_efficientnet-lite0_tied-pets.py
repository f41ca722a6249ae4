# The boxes become outlines by GrabCut first.
_base_ = './swap_efficientnet-lite0_tied-pets.py'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='LoadActivationMask',
        source={{_base_.load_mask.source}},
        refine=dict(type='GrabCut', cache='work_dirs/outlines/tied-pets'),
    ),
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
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
