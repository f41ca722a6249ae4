# Oxford-IIIT Pets, 37 breeds: timm ResNet-50 from ImageNet weights, guided by trimaps:
# the paper's loss (Eq. 1), and the fine-tuning for pretrained networks
# (docs/pretrained.md), which keeps what ImageNet has taught, with other backgrounds.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/pets.py',
    '_base_/models/guided_timm.py',
]

model = dict(
    data_preprocessor=dict(
        num_classes=37,
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
    backbone=dict(model_name='resnet50', img_size=224),
    head=dict(num_classes=37),
    fine_tuning=dict(frozen=0.7, norm_eval=True, zero_head=True),
    train_cfg=dict(augments=dict(type='BackgroundSwap', prob=1.0, border=1.5)),
)

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=64)
