# TiedPets: EfficientNet-Lite0 from ImageNet weights in a local file, guided by the cats'
# boxes. As on Waterbirds-100, with 60 steps of 32 images: 192 are for training.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/tied_pets.py',
    '_base_/models/guided_timm.py',
]

model = dict(
    data_preprocessor=dict(
        mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True, num_classes=2
    ),
    backbone=dict(
        model_name='tf_efficientnet_lite0',
        img_size=112,
        channels_last=True,
        local_weights=dict(
            tf_efficientnet_lite0='{{$CFCN_DATA:data}}/weights/timm_tf_efficientnet_lite0.pth'
        ),
    ),
    head=dict(num_classes=2),
)

optim_wrapper = dict(optimizer=dict(type='AdamW', lr=3e-4, weight_decay=0.01))
param_scheduler = dict(type='CosineAnnealingLR', convert_to_iter_based=True)
train_cfg = dict(by_epoch=True, max_epochs=10, val_interval=10)
default_hooks = dict(checkpoint=dict(interval=10))
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=32)
