# CFCN-C on Oxford-IIIT Pets from scratch, by Table 4: stride 1, so the map has the
# input's size.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/pets_96.py',
    '_base_/models/cfcnnet.py',
    '_base_/schedules/paper.py',
]

model = dict(
    backbone=dict(filters=[128, 128, 64, 64, 32, 32, 16, 16], dropout=0.3),
    head=dict(num_classes=2),
    guidance=dict(loss_weight=1.0),
)

optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=500)
