# LGG MRI (Buda et al., kaggle_3m), tumour or no tumour: 3929 slices of 110 patients,
# split by patient. `python tools/get_data.py lgg-mri` makes the folder. The paper does
# not use this data set: size, batch and network are those of the paper's Brain MRI.
_base_ = '../evaluators/single_label.py'

data_root = '{{$CFCN_DATA:data}}/lgg_mri'

pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='LoadActivationMask',
        # a slice without tumour has no mask; a tumour that vanished when the images
        # were reduced has an empty mask
        missing='unguided',
        empty='unguided',
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
    classes=['no_tumor', 'tumor'],
    pipeline=pipeline,
)

train_dataloader = dict(
    batch_size=32,
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
