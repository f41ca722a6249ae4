# CFCN-C on Brain MRI, by Table 4: stride 2 in every third convolution; the mask is
# resized to the map (24x24).
_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/brain_mri.py',
    '_base_/models/cfcnnet.py',
    '_base_/schedules/paper.py',
]

model = dict(
    backbone=dict(
        filters=[64, 64, 64, 32, 32, 32], strides=[1, 1, 2, 1, 1, 2], dropout=0.0
    ),
    head=dict(num_classes=3),
    guidance=dict(loss_weight=3.0),
)

optim_wrapper = dict(optimizer=dict(lr=1e-5))
train_cfg = dict(max_epochs=150)
