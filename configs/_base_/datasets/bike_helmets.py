# Bike-Helmets (Kaggle, andrewmvd/helmet-detection): 764 images, 500 for testing as in
# the paper, boxes around heads as masks. `python tools/get_data.py bike-helmets` writes
# the list. The paper gives no settings: labels, split, size and flip are our choice.
_base_ = '../evaluators/single_label.py'

data_root = '{{$CFCN_DATA:data}}/bike_helmets'
classes = ['With Helmet', 'Without Helmet']

load_mask = dict(
    type='LoadActivationMask',
    source=dict(
        type='VOCMasks',
        data_root=data_root,
        use='bbox',
        images='images',
        masks='annotations',
        names=classes,
        objects='label',
        classes=classes,
    ),
)
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
dataset = dict(
    type='CSVDataset', data_root=data_root, ann_file='labels.csv', classes=classes
)

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(split='train', pipeline=train_pipeline, **dataset),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='test', pipeline=test_pipeline, **dataset),
)
test_dataloader = val_dataloader
