# The page docs/results/waterbirds.md: every way to guide, by all boxes and by few.
few = dict(type='GuidedSampler', share=1.0)
ordinary = dict(_delete_=True, type='DefaultSampler', shuffle=True)
maps = dict(_delete_=True, type='CausalFocusLoss', loss_weight=10.0, pool='share')
energy = dict(_delete_=True, type='ExplanationLoss', measure='energy')
stages = dict(target=[f'backbone.timm_model.blocks.{i}' for i in (2, 4, 6)])
systems = dict(
    cnn=dict(config='../cnn_*_{data}.py', without=['masks']),
    cnn_balanced=dict(config='../cnn-balanced_*_{data}.py', without=['masks']),
    # the paper's
    gain='../gain_*_{data}.py',
    cfcn='../cfcn_*_{data}.py',
    cfcn_c='../cfcn-c_*_{data}.py',
    # others' uses of the same boxes
    rrr=dict(config='../rrr_*_{data}.py', only=dict(masks=['100%'])),  # dear
    energy='../energy_*_{data}.py',
    l1='../l1_*_{data}.py',
    actdiff='../actdiff_*_{data}.py',
    swap='../swap_*_{data}.py',
    # beyond the paper
    cfcn_share='../cfcn-share_*_{data}.py',
    swap_balanced='../swap-balanced_*_{data}.py',
    # is it the swap, or the class weights and the choice of pictures?
    cnn_balanced_guided=dict(
        config='../cnn-balanced_*_{data}.py',
        only=dict(masks=['5%']),
        options={'train_dataloader.sampler': few}),
    # or how often the few are drawn?
    swap_balanced_ordinary=dict(
        config='../swap-balanced_*_{data}.py',
        only=dict(masks=['5%']),
        options={'train_dataloader.sampler': ordinary}),
    swap_balanced_half=dict(
        config='../swap-balanced_*_{data}.py',
        only=dict(masks=['5%']),
        options={'train_dataloader.sampler.share': 0.5}),
    # the swap and the focus
    swap_balanced_share=dict(
        config='../swap-balanced_*_{data}.py',
        options={'model.guidance': maps, 'model.feature_hook': stages}),
    swap_balanced_energy=dict(
        config='../swap-balanced_*_{data}.py',
        options={'model.guidance': energy}))
plain = 'cnn'
axes = dict(data=['waterbirds'], masks=['100%', '5%'], seed=[0, 1, 2])
metrics = {
    'mean of groups, %': 'group/mean',
    'worst group, %': 'group/worst',
    'energy inside, %': ('focus/energy', 100),
    'pointing, %': ('focus/pointing', 100),
}
del few, ordinary, maps, energy, stages
