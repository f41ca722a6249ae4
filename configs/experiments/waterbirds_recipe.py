# The ablation in docs/results/waterbirds.md: the recipe for pretrained networks, one
# piece left out at a time, and what is put on top. A run takes two minutes of one core.
_base_ = './waterbirds.py'
config = '../swap-pretrained_efficientnet-lite0_{data}.py'
cfcn = dict(_delete_=True, type='CausalFocusLoss')
changes = dict(
    without_freezing={'model.fine_tuning.frozen': 0},
    training_norms={'model.fine_tuning.norm_eval': False},
    random_head={'model.fine_tuning.zero_head': False},
    one_rate={'optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult': 1.0},
    boxes={'train_dataloader.dataset.pipeline.1.refine': None},
    half_of_the_draws={'model.train_cfg.augments.prob': 0.5},
    no_swap={'model.train_cfg.augments.prob': 0.0},
    unbalanced={'train_dataloader.sampler.class_balanced': False},
    with_cfcn={'model.guidance': cfcn},
)
methods = dict(_delete_=True, recipe=config)
for name, options in changes.items():
    methods[name] = dict(
        config=config, axis_values=dict(masks=['100%']), options=options
    )
baseline = 'recipe'
axes = dict(masks=['100%', '5%', '1.25%'], seed=[0, 1, 2])
options = {
    'train_cfg.max_epochs': 2,
    'test_evaluator': [dict(type='GroupAccuracy'), dict(type='FocusMetric')],
}
metrics = dict(
    _delete_=True,
    **{
        'mean of groups, %': 'group/mean',
        'worst group, %': 'group/worst',
        'landbird on land, %': 'group/landbird-land',
        'landbird on water, %': 'group/landbird-water',
        'waterbird on land, %': 'group/waterbird-land',
        'waterbird on water, %': 'group/waterbird-water',
    },
)
del config, cfcn, changes, name
