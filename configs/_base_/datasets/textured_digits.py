# TexturedDigits, 40x40: three digits tied to three textures in training.
# `python tools/get_data.py textured-digits` writes it. Inputs in [0, 1] (paper,
# appendix C).
data_root = '{{$CFCN_DATA:data}}/textured-digits'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='LoadActivationMask',
        source=dict(type='PNGMasks', data_root=data_root, masks='masks')),
    dict(type='PackGuidedInputs'),
]
test_pipeline = train_pipeline

train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        data_prefix='train',
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        data_prefix='test_untied',
        pipeline=test_pipeline))
val_evaluator = [dict(type='Accuracy', topk=1), dict(type='FocusMetric')]
test_dataloader = val_dataloader
test_evaluator = val_evaluator
