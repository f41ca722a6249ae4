# Base of every config here: the import that registers the plugin, mmpretrain's default
# hooks, and the plugin's runner hooks.
custom_imports = dict(imports=['cfcn_plugin.mm'], allow_failed_imports=False)
default_scope = 'mmpretrain'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='VisualizationHook', enable=False),
)
custom_hooks = [
    dict(type='GuidanceCheckHook'),
    dict(type='ResolvedConfigHook'),
    dict(type='ModelAwareLoopHook'),
    dict(type='BatchedLogHook'),
    dict(type='CheckInvalidLossHook'),
    dict(type='DeadMapHook'),
    dict(type='ReduceLogHook'),
    # without this hook each rank validates with its own BatchNorm statistics
    dict(type='SyncBuffersHook'),
]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='UniversalVisualizer', vis_backends=vis_backends)

log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=None, deterministic=False)
