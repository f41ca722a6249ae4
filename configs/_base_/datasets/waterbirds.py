# Waterbirds-100, 112x112: every training image has the background of its class; the test
# groups (bird-place) are balanced. Masks are boxes; docs/data.md has the layout.
data_root = '{{$CFCN_DATA:data}}/waterbirds100'

load_mask = dict(
    type='LoadActivationMask',
    source=dict(type='BoxMasks', data_root=data_root, ann_file='labels.csv'),
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    load_mask,
    dict(
        type='MaskAware',
        transform=dict(
            type='RandomResizedCrop', scale=112, crop_ratio_range=(0.5, 1.0)
        ),
    ),
    dict(
        type='MaskAware',
        transform=dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    ),
    dict(type='PackGuidedInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    load_mask,
    dict(type='MaskAware', transform=dict(type='Resize', scale=(112, 112))),
    dict(type='PackGuidedInputs'),
]
dataset = dict(
    type='CSVDataset',
    data_root=data_root,
    ann_file='labels.csv',
    classes=['landbird', 'waterbird'],
    group=['label', 'place'],
)

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(split='train', pipeline=train_pipeline, **dataset),
)
val_dataloader = dict(
    batch_size=100,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='val', pipeline=test_pipeline, **dataset),
)
val_evaluator = [dict(type='GroupAccuracy'), dict(type='FocusMetric')]
test_dataloader = dict(
    batch_size=100,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='test', pipeline=test_pipeline, **dataset),
)
test_evaluator = val_evaluator
