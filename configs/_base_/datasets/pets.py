# Oxford-IIIT Pets with trimaps, 224x224, in torchvision's layout
# (<data>/oxford-iiit-pet/{images,annotations}); `python tools/get_data.py pets`.
_base_ = '../evaluators/single_label.py'

data_root = '{{$CFCN_DATA:data}}/oxford-iiit-pet'

load_mask = dict(
    type='LoadActivationMask', source=dict(type='TrimapMasks', data_root=data_root)
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    load_mask,
    dict(
        type='MaskAware',
        # with the usual minimum of 0.08 a tenth of the crops lose an object of a
        # tenth of the image; the minimum here is 0.25
        transform=dict(
            type='RandomResizedCrop', scale=224, crop_ratio_range=(0.25, 1.0)
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
    dict(type='MaskAware', transform=dict(type='ResizeEdge', scale=256, edge='short')),
    dict(type='MaskAware', transform=dict(type='CenterCrop', crop_size=224)),
    dict(type='PackGuidedInputs'),
]

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='PetsBreeds',
        data_root=data_root,
        split='trainval',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='PetsBreeds', data_root=data_root, split='test', pipeline=test_pipeline
    ),
)
test_dataloader = val_dataloader
