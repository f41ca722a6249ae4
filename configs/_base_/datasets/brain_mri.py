# Brain MRI (Cheng et al., figshare 1512427): 3064 slices, 3 kinds of tumour, 96x96
# (Table 4). `python tools/get_data.py brain-mri` makes the folder from the .mat files.
# The split by patient and no augmentation are our choice; the paper gives neither.
_base_ = '../evaluators/single_label.py'

data_root = '{{$CFCN_DATA:data}}/brain_mri_cheng'

pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='LoadActivationMask',
        source=dict(
            type='PNGMasks', data_root=data_root, images='images', masks='masks'
        ),
    ),
    dict(type='MaskAware', transform=dict(type='Resize', scale=(96, 96))),
    dict(type='PackGuidedInputs'),
]
dataset = dict(
    type='CSVDataset',
    data_root=data_root,
    ann_file='labels.csv',
    classes=['meningioma', 'glioma', 'pituitary'],
    pipeline=pipeline,
)

train_dataloader = dict(
    batch_size=32,  # Table 4
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(split='train', **dataset),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='test', **dataset),
)
test_dataloader = val_dataloader
