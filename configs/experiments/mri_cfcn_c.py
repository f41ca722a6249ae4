# What keeps CFCN-C from learning on Brain MRI: five ideas, beside the baseline.
_base_ = './mri.py'
cfcn_c = '../cfcn-c_cfcnnet_*_{data}.py'
warm_up = dict(type='GuidanceWarmUpHook', epochs=5)
methods = dict(
    _delete_=True,
    cnn='../cnn_cfcnnet_*_{data}.py',
    cfcn_c=cfcn_c,  # alpha 3, by Table 4
    alpha_1=dict(config=cfcn_c, options={'model.guidance.loss_weight': 1.0}),
    alpha_03=dict(config=cfcn_c, options={'model.guidance.loss_weight': 0.3}),
    all_classes=dict(
        config=cfcn_c,
        options={'model.guidance.channels': 'all', 'model.guidance.average': 'micro'},
    ),
    all_classes_alpha_03=dict(
        config=cfcn_c,
        options={
            'model.guidance.channels': 'all',
            'model.guidance.average': 'micro',
            'model.guidance.loss_weight': 0.3,
        },
    ),
    warm_up=dict(
        config=cfcn_c,
        options={'custom_hooks': [dict(type='CheckInvalidLossHook'), warm_up]},
    ),
)
axes = dict(data=['brain-mri'])
del cfcn_c, warm_up
