# TexturedDigits, 40x40: three digits tied to three textures in training, tied and
# untied in the test. `python tools/get_data.py textured-digits` writes it.
data_root = '{{$CFCN_DATA:data}}/textured-digits'

pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='LoadActivationMask',
        source=dict(type='PNGMasks', data_root=data_root, masks='masks')),
    dict(type='PackGuidedInputs'),
]
dataset = dict(
    type='CSVDataset',
    data_root=data_root,
    ann_file='labels.csv',
    classes=['0', '1', '2'],
    group=['background'],
    pipeline=pipeline)

train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(split='train', **dataset))
val_dataloader = dict(
    batch_size=54,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='test', **dataset))
val_evaluator = [dict(type='GroupAccuracy'), dict(type='FocusMetric')]
test_dataloader = val_dataloader
test_evaluator = val_evaluator
