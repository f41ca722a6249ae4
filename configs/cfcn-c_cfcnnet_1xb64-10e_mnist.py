# CFCN-C on MNIST, for figures of the class maps (Fig. 11). The paper gives no settings
# and no masks for MNIST: all settings are our choice.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/mnist.py',
    '_base_/models/cfcnnet.py',
    '_base_/schedules/paper.py',
]

model = dict(
    backbone=dict(filters=[32] * 5, dropout=0.0),
    head=dict(num_classes=10),
    guidance=dict(loss_weight=0.5),
)

optim_wrapper = dict(optimizer=dict(lr=1e-3))
# without the warm-up a class map can become zero in the first steps and stay zero
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=100),
    dict(type='CosineAnnealingLR', convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=10)
