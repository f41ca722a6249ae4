# Beyond the paper: several stages, the micro average over channels, and a warm-up.
_base_ = './cfcn_efficientnet-lite0_waterbirds.py'

model = dict(
    guidance=dict(loss_weight=10.0, average='micro'),
    feature_hook=dict(
        target=[
            'backbone.timm_model.blocks.2',
            'backbone.timm_model.blocks.4',
            'backbone.timm_model.blocks.6',
        ]
    ),
)
custom_hooks = [*_base_.custom_hooks, dict(type='GuidanceWarmUpHook', iters=50)]
