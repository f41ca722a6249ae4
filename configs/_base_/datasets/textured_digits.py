# TexturedDigits, 40x40: in training each of three digits has its own texture; the test
# has tied and untied images. `python tools/get_data.py textured-digits` writes the data.
data_root = '{{$CFCN_DATA:data}}/textured-digits'

pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='LoadActivationMask',
        source=dict(type='PNGMasks', data_root=data_root, masks='masks'),
    ),
    dict(type='PackGuidedInputs'),
]
dataset = dict(
    type='CSVDataset',
    data_root=data_root,
    ann_file='labels.csv',
    classes=['0', '1', '2'],
    group=['background'],
    pipeline=pipeline,
)

train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(split='train', **dataset),
)
val_dataloader = dict(
    batch_size=54,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='test', **dataset),
)
val_evaluator = [dict(type='GroupAccuracy'), dict(type='FocusMetric')]
test_dataloader = val_dataloader
test_evaluator = val_evaluator
