# Waterbirds-100: EfficientNet-Lite0 from ImageNet weights in a local file, guided by
# the birds' boxes. With 112 px and 2 epochs a run takes minutes on 2 CPU cores.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/waterbirds.py',
    '_base_/models/guided_timm.py',
]

model = dict(
    data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True),
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
train_cfg = dict(by_epoch=True, max_epochs=2, val_interval=2)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=64)
