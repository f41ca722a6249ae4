# The page docs/results/waterbirds.md.
systems = dict(
    cnn='../cnn_efficientnet-lite0_waterbirds.py',
    cfcn='../cfcn_efficientnet-lite0_waterbirds.py')
plain = 'cnn'
axes = dict(data=['waterbirds'], seed=[0, 1, 2])
metrics = {
    'mean of groups, %': 'group/mean',
    'worst group, %': 'group/worst',
    'waterbird on water, %': 'group/waterbird-water',
    "Eq. 1's share inside, %": ('focus/ratio', 100),
    'energy inside, %': ('focus/energy', 100),
    'pointing, %': ('focus/pointing', 100),
}
