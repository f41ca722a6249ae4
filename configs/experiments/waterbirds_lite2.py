# A second backbone in docs/results/waterbirds.md, the larger tf_efficientnet_lite2: the
# baseline and the recipe for pretrained networks with its four epochs.
_base_ = './waterbirds_recipe.py'
weights = dict(
    tf_efficientnet_lite2='{{$CFCN_DATA:data}}/weights/timm_tf_efficientnet_lite2.pth'
)
lite2 = {
    'model.backbone.model_name': 'tf_efficientnet_lite2',
    'model.backbone.local_weights': dict(_delete_=True, **weights),
}
size = (160, 160)
methods = dict(
    _delete_=True,
    cnn=dict(
        config='../cnn_efficientnet-lite0_{data}.py',
        without=['masks'],
        options={
            **lite2,
            'val_dataloader.dataset.pipeline.2.transform.scale': size,
            'test_dataloader.dataset.pipeline.2.transform.scale': size,
        },
    ),
    recipe=dict(
        config='../swap-pretrained_efficientnet-lite0_{data}.py',
        options={**lite2, 'train_cfg.max_epochs': 4},
    ),
)
baseline = 'cnn'
axes = dict(masks=['100%'])
del weights, lite2, size
