# CFCN-C on IDRiD, by Table 4: several labels, a mask for each lesion (Eq. 3), stride 1.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/idrid.py',
    '_base_/models/cfcnnet.py',
    '_base_/schedules/paper.py',
]

model = dict(
    backbone=dict(filters=[32, 32, 16, 16, 8, 8], dropout=0.3),
    head=dict(num_classes=3, multi_label=True),
    guidance=dict(channels='per_class', loss_weight=0.8),
)

optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=200)
