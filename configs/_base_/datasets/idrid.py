# IDRiD, part A: 54 fundus images for training, 27 for testing, the publisher's split
# (the paper counts 82). `python tools/get_data.py idrid` makes the folder.
# The paper does not name the 3 of the 5 regions that are labels. Our labels exclude the
# optic disc, which is no lesion, and microaneurysms, which are smaller than a pixel at
# this size. Only the label soft exudates varies: nearly all images have the others.
_base_ = '../evaluators/multi_label.py'

data_root = '{{$CFCN_DATA:data}}/idrid'
lesions = ['HE', 'EX', 'SE']

pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='LoadActivationMask',
        missing='unguided',  # images without a lesion
        empty='unguided',
        source=dict(
            type='IDRiDMasks',
            data_root=data_root,
            images='images',
            masks='masks',
            suffix='.png',
            flat=True,
            lesions=lesions,
        ),
    ),
    # width, height (Table 4)
    dict(type='MaskAware', transform=dict(type='Resize', scale=(250, 175))),
    dict(type='PackGuidedInputs'),
]
dataset = dict(
    type='CSVDataset',
    data_root=data_root,
    ann_file='labels.csv',
    classes=lesions,
    label=[f'label_{lesion}' for lesion in lesions],
    pipeline=pipeline,
)

train_dataloader = dict(
    batch_size=5,  # Table 4
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(split='train', **dataset),
)
val_dataloader = dict(
    batch_size=9,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='test', **dataset),
)
test_dataloader = val_dataloader
