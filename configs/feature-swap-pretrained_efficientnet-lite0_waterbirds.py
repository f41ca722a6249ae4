# As swap-pretrained_efficientnet-lite0_waterbirds.py, with backgrounds swapped in the map
# after the third stage, the last of which all layers are frozen, and not in the pixels.
_base_ = './swap-pretrained_efficientnet-lite0_waterbirds.py'
model = dict(
    train_cfg=None,
    feature_swap=dict(target='backbone.timm_model.blocks.2', hole='box'),
)
