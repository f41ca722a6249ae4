# Three breeds of Oxford-IIIT Pets by EfficientNet-Lite0 from a local file of ImageNet
# weights: as cfcn_resnet_pets.py, small enough for a CPU.
_base_ = './cfcn_resnet_pets.py'
classes = ['Abyssinian', 'Bengal', 'american_bulldog']
model = dict(
    data_preprocessor=dict(num_classes=3, mean=[127.5] * 3, std=[127.5] * 3),
    backbone=dict(
        model_name='tf_efficientnet_lite0',
        channels_last=True,
        local_weights=dict(
            tf_efficientnet_lite0='{{$CFCN_DATA:data}}/weights/timm_tf_efficientnet_lite0.pth'
        ),
    ),
    head=dict(num_classes=3, topk=(1,)),
)
train_dataloader = dict(batch_size=32, dataset=dict(classes=classes))
val_dataloader = dict(dataset=dict(classes=classes))
test_dataloader = dict(dataset=dict(classes=classes))
param_scheduler = dict(
    _delete_=True, type='CosineAnnealingLR', convert_to_iter_based=True
)
train_cfg = dict(max_epochs=5, val_interval=5)
