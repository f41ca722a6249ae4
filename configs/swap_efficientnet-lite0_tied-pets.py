# Cats are pasted by their boxes on other images' backgrounds; no guidance loss.
_base_ = './cnn_efficientnet-lite0_tied-pets.py'
model = dict(
    train_cfg=dict(
        augments=dict(type='BackgroundSwap', prob=1.0, border=1.0, hole='box')
    )
)
