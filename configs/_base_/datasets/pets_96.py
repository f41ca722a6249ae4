# Oxford-IIIT Pets at the paper's 96x96 (Table 4). The 2 species agree with the paper's
# results; for the breeds use type='PetsBreeds' with head.num_classes=37. The paper does
# not give the split (ours: the official split), whether the border belongs to the mask
# (ours: yes), or any augmentation (ours: the flip).
_base_ = './pets.py'

load_mask = _base_.load_mask
resize = dict(type='MaskAware', transform=dict(type='Resize', scale=(96, 96)))
train_pipeline = [
    dict(type='LoadImageFromFile'),
    load_mask,
    resize,
    dict(
        type='MaskAware',
        transform=dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    ),
    dict(type='PackGuidedInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    load_mask,
    resize,
    dict(type='PackGuidedInputs'),
]

train_dataloader = dict(dataset=dict(type='PetsSpecies', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(type='PetsSpecies', pipeline=test_pipeline))
test_dataloader = val_dataloader
