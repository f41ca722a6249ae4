# What works best here (docs/results/waterbirds.md): other backgrounds, class weights,
# and, where few images have masks, no others.
_base_ = './swap_efficientnet-lite0_waterbirds.py'
model = dict(head=dict(loss=dict(type='CrossEntropyLoss', class_weight=[0.65, 2.18])))
train_dataloader = dict(sampler=dict(type='GuidedSampler', fraction=1.0))
