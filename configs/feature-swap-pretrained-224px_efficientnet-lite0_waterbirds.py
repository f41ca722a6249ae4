# As swap-pretrained-224px_efficientnet-lite0_waterbirds.py, with backgrounds swapped in a
# map and not in the pixels.
_base_ = './swap-pretrained-224px_efficientnet-lite0_waterbirds.py'
model = dict(
    train_cfg=None,
    feature_swap=dict(target='backbone.timm_model.blocks.2', hole='box'),
)
