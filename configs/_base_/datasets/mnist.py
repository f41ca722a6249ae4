# MNIST with the strokes as masks, 28x28. `python tools/get_data.py mnist` downloads the
# data; with `--source FOLDER` the published files are read from FOLDER.
_base_ = '../evaluators/single_label.py'

data_root = '{{$CFCN_DATA:data}}/mnist'

pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='LoadActivationMask',
        source=dict(
            type='PNGMasks', data_root=data_root, images='images', masks='masks'
        ),
    ),
    dict(type='PackGuidedInputs'),
]
dataset = dict(
    type='CSVDataset',
    data_root=data_root,
    ann_file='labels.csv',
    classes=[str(digit) for digit in range(10)],
    pipeline=pipeline,
)

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(split='train', **dataset),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='test', **dataset),
)
test_dataloader = val_dataloader
