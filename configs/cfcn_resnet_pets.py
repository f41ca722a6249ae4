# Oxford-IIIT Pets, 37 breeds: timm ResNet-50 from ImageNet weights, guided by trimaps.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/pets.py',
    '_base_/models/guided_timm.py'
]

model = dict(
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True),
    backbone=dict(model_name='resnet50', img_size=224),
    head=dict(num_classes=37))

optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=64)
