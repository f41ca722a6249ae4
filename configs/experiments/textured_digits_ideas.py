# Beyond the paper, one change at a time, on data where guidance helps.
_base_ = './textured_digits.py'
cfcn_c = '../cfcn-c_cfcnnet_{data}.py'
share = {'model.guidance.channels': 'all', 'model.guidance.average': 'micro'}
layers = ['backbone.layers.2', 'backbone.layers.3', 'backbone.layers.4']
last = {
    'model.guidance.channels': 'all',
    'model.feature_hook': dict(type='FeatureHook', target=layers[-1]),
}
swap = {
    'model.data_preprocessor.num_classes': 3,
    'model.train_cfg': dict(augments=dict(type='BackgroundSwap', prob=1.0)),
}
warm_up = dict(type='GuidanceWarmUpHook', epochs=5)
methods = {
    '_delete_': True,
    'cnn': '../cnn_cfcnnet_{data}.py',
    'cfcn_c': cfcn_c,  # the literal Eq. 2
    # class maps
    'all_classes': dict(config=cfcn_c, options=share),
    'warm_up': dict(
        config=cfcn_c,
        options={'custom_hooks': [dict(type='CheckInvalidLossHook'), warm_up]},
    ),
    # the backbone's last map, 32 channels: Eq. 1, micro average, gradient weights
    'last': dict(config=cfcn_c, options=last),
    'last_share': dict(config=cfcn_c, options={**last, **share}),
    'last_gradient': dict(
        config=cfcn_c,
        options={**last, **share, 'model.guidance.channel_weights': 'gradient'},
    ),
    # three maps
    'three_share': dict(
        config=cfcn_c,
        options={
            **share,
            'model.feature_hook': dict(type='FeatureHook', target=layers),
        },
    ),
    # BackgroundSwap without and with the focus loss
    'swap': dict(config='../cnn_cfcnnet_{data}.py', options=swap),
    'swap_cfcn_c': dict(config=cfcn_c, options=swap),
}
del cfcn_c, share, layers, last, swap, warm_up
