# CFCN-C on LGG MRI. Not in the paper: Table 4's settings of Brain MRI.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/lgg_mri.py',
    '_base_/models/cfcnnet.py',
    '_base_/schedules/paper.py',
]

model = dict(
    backbone=dict(
        filters=[64, 64, 64, 32, 32, 32], strides=[1, 1, 2, 1, 1, 2], dropout=0.0
    ),
    head=dict(num_classes=2),
    guidance=dict(loss_weight=3.0),
)

optim_wrapper = dict(optimizer=dict(lr=1e-5))
train_cfg = dict(max_epochs=150)
