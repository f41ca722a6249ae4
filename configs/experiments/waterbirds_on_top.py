# Does a guidance loss add anything to the recipe for pretrained networks?
# The page docs/results/waterbirds-on-top.md.
_base_ = './waterbirds_recipe.py'
config = '../swap-pretrained_efficientnet-lite0_{data}.py'
hooks = [
    dict(type='GuidanceCheckHook'),
    dict(type='BatchedLogHook'),
    dict(type='CheckInvalidLossHook'),
    # after the classes are learned: in the second of two epochs
    dict(type='GuidanceWarmUpHook', epochs=0, begin=1),
]
losses = dict(
    cam_kl={
        'model.guidance': dict(type='ExplanationLoss', metric='kl', loss_weight=10.0),
        'custom_hooks': hooks,
    },
    consistency={
        'model.guidance': dict(type='ConsistencyLoss', border=1.0, hole='box')
    },
    uniform_context={
        'model.guidance': dict(type='UniformContextLoss', border=1.0, hole='box')
    },
)
methods = dict(_delete_=True, recipe=config)
for name, options in losses.items():
    guidance = dict(_delete_=True, **options['model.guidance'])
    methods[name] = dict(config=config, options={**options, 'model.guidance': guidance})
# three stages of which the recipe freezes two, so all layers are trained here
all_layers = {'model.fine_tuning.frozen': 0}
share = {
    **all_layers,
    'model.feature_hook.target': [f'backbone.timm_model.blocks.{i}' for i in (2, 4, 6)],
    'model.guidance': dict(
        _delete_=True, type='CausalFocusLoss', average='micro', loss_weight=10.0
    ),
    'custom_hooks': [*hooks[:-1], dict(type='GuidanceWarmUpHook', iters=50)],
}
methods['without_freezing'] = dict(config=config, options=all_layers)
methods['share'] = dict(config=config, options=share, baseline='without_freezing')
# what the time of a second forward pass gives without a loss
methods['four_epochs'] = dict(config=config, options={'train_cfg.max_epochs': 4})
axes = dict(masks=['100%'])
options = {
    'test_evaluator': [
        dict(type='GroupAccuracy'),
        dict(type='FocusMetric'),
        dict(type='ExplanationFocus', method='input_x_gradient'),
    ],
}
metrics = {
    'energy inside, %': ('focus/energy', 100),
    'input x gradient: energy inside, %': ('input_x_gradient/energy', 100),
}
del all_layers, config, guidance, hooks, losses, name, share
