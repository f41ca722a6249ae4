# Other backgrounds and class weights; if few images have masks, only these images are
# drawn. outline-swap_* with outlines in place of boxes is far better.
_base_ = './swap_efficientnet-lite0_waterbirds.py'
model = dict(head=dict(loss=dict(type='CrossEntropyLoss', class_weight=[0.65, 2.18])))
train_dataloader = dict(sampler=dict(type='GuidedSampler', fraction=1.0))
