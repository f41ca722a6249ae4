# CFCN-C on Aeroplane-Cow, by Table 4: stride 2 in every second convolution; the map
# (24x24) is resized to the input size.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/aeroplane_cow.py',
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
