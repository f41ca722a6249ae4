# Aeroplane-Cow: the images of VOC 2012 that show exactly one of the two classes, 96x96
# (Table 4), in VOC's own folders. `python tools/get_data.py aeroplane-cow` downloads VOC
# and writes the list of images: VOC's train list is the training split, its val list
# the test split. The paper has 718 images and gives neither the list nor the split. The
# flip is our choice.
_base_ = '../evaluators/single_label.py'

data_root = '{{$CFCN_DATA:data}}/VOCdevkit/VOC2012'
classes = ['aeroplane', 'cow']

load_mask = dict(
    type='LoadActivationMask',
    # VOC has segmentations of some images only; use='bbox' guides all images
    missing='unguided',
    source=dict(
        type='VOCMasks',
        data_root=data_root,
        use='segmentation',
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
    type='CSVDataset',
    data_root=data_root,
    ann_file='aeroplane-cow.csv',
    classes=classes,
)

train_dataloader = dict(
    batch_size=16,  # Table 4
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
