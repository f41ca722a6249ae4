# As swap-pretrained_efficientnet-lite0_waterbirds.py, trained at 224, tested at 288 px.
_base_ = './swap-pretrained_efficientnet-lite0_waterbirds.py'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    {{_base_.load_outline}},
    dict(
        type='MaskAware',
        transform=dict(
            type='RandomResizedCrop', scale=224, crop_ratio_range=(0.5, 1.0)
        ),
    ),
    dict(
        type='MaskAware',
        transform=dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    ),
    dict(type='PackGuidedInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    {{_base_.load_mask}},
    dict(type='MaskAware', transform=dict(type='Resize', scale=(288, 288))),
    dict(type='PackGuidedInputs'),
]
model = dict(train_cfg=dict(augments=dict(border=1.5)))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
