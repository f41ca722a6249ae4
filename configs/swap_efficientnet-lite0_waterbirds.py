# Birds are pasted by their boxes on other images' backgrounds; no guidance loss.
_base_ = './cnn_efficientnet-lite0_waterbirds.py'
model = dict(
    data_preprocessor=dict(num_classes=2),
    train_cfg=dict(augments=dict(type='BackgroundSwap', prob=1.0)),
)
