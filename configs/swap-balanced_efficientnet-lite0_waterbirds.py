# The best method on this data (docs/results/waterbirds.md): other backgrounds and class
# weights; if few images have masks, only these images are drawn.
_base_ = './swap_efficientnet-lite0_waterbirds.py'
model = dict(head=dict(loss=dict(type='CrossEntropyLoss', class_weight=[0.65, 2.18])))
train_dataloader = dict(sampler=dict(type='GuidedSampler', fraction=1.0))
