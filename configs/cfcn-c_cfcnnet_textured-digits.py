# CFCN-C on TexturedDigits: a small version of the paper's network, all masks.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/textured_digits.py',
    '_base_/models/cfcnnet.py',
]

model = dict(
    backbone=dict(filters=[32] * 5, dropout=0.0),
    head=dict(num_classes=3),
    guidance=dict(loss_weight=0.5),
)

optim_wrapper = dict(optimizer=dict(type='Adam', lr=2e-3))
# without the warm-up a class map can become zero in the first steps and stay zero
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=69),
    dict(type='CosineAnnealingLR', convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=30)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(checkpoint=dict(interval=30))
