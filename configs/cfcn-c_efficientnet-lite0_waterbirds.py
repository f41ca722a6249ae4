# CFCN-C on Waterbirds-100: the paper's head on the pretrained backbone, Eq. 2.
_base_ = './cfcn_efficientnet-lite0_waterbirds.py'

model = dict(
    neck=None,
    head=dict(_delete_=True, type='CausalFocusHead', num_classes=2, mode='class'),
    guidance=dict(channels='target'),
)
