# CFCN-C on TexturedDigits: the paper's plain stack, small, guided by all masks.
# Inputs in [0, 1] (paper, appendix C).
_base_ = ['_base_/default_runtime.py', '_base_/datasets/textured_digits.py']

model = dict(
    type='GuidedClassifier',
    data_preprocessor=dict(mean=[0, 0, 0], std=[255, 255, 255], to_rgb=True),
    backbone=dict(type='CFCNNet', filters=[32] * 5, dropout=0.),
    head=dict(type='CausalFocusHead', num_classes=3, mode='class'),
    guidance=dict(type='CausalFocusLoss', loss_weight=0.5, channels='target'))

optim_wrapper = dict(optimizer=dict(type='Adam', lr=2e-3))
# without the warm-up a class's map can die in the first steps, and stays dead
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=69),
    dict(type='CosineAnnealingLR', convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=30)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(checkpoint=dict(interval=30))
