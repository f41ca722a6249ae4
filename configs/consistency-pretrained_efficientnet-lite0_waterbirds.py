# The recipe for pretrained networks, and the same answer for one bird on two backgrounds.
_base_ = './swap-pretrained_efficientnet-lite0_waterbirds.py'
model = dict(
    guidance=dict(_delete_=True, type='ConsistencyLoss', border=1.0, hole='box')
)
train_cfg = dict(max_epochs=2)  # of two passes: as long as the recipe's four
