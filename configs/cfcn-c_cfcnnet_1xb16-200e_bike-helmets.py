# CFCN-C on Bike-Helmets. The paper gives no settings: those of Aeroplane-Cow.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/bike_helmets.py',
    '_base_/models/cfcnnet.py',
    '_base_/schedules/paper.py',
]

model = dict(
    backbone=dict(filters=[128, 128, 64, 64, 32], strides=[1, 2, 1, 2, 1], dropout=0.3),
    head=dict(num_classes=2),
    guidance=dict(loss_weight=1.5, resize='activation'),
)

optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=200)
