# The baseline at 224 px.
_base_ = './cnn_efficientnet-lite0_waterbirds.py'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    {{_base_.load_mask}},
    dict(
        type='MaskAware',
        transform=dict(
            type='RandomResizedCrop', scale=224, crop_ratio_range=(0.5, 1.0))),
    dict(
        type='MaskAware',
        transform=dict(type='RandomFlip', prob=0.5, direction='horizontal')),
    dict(type='PackGuidedInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    {{_base_.load_mask}},
    dict(type='MaskAware', transform=dict(type='Resize', scale=(224, 224))),
    dict(type='PackGuidedInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
