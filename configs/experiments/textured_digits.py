# The page docs/results/textured-digits.md: CFCN-C and its plain twin.
systems = dict(
    cnn=dict(config='../cnn_cfcnnet_textured-digits.py'),
    cfcn_c=dict(config='../cfcn-c_cfcnnet_textured-digits.py'))
plain = 'cnn'
axes = dict(data=['textured-digits'], seed=[0, 1, 2])
metrics = {
    'tied, % right': 'group/tied',
    'untied, % right': 'group/untied',
    'focus (energy inside), %': ('focus/energy', 100),
    'IoU, %': ('focus/iou', 100),
}
