# The page docs/results/waterbirds.md: every way to guide, by all boxes, 240 and 60.
few = dict(type='GuidedSampler', fraction=1.0)
ordinary = dict(_delete_=True, type='DefaultSampler', shuffle=True)
energy = dict(_delete_=True, type='ExplanationLoss', metric='energy')
all_boxes, some_boxes = dict(masks=['100%']), dict(masks=['5%'])
few_boxes = dict(masks=['5%', '1.25%'])
balanced, swap_balanced = '../cnn-balanced_*_{data}.py', '../swap-balanced_*_{data}.py'
outline_swap = '../outline-swap_*_{data}.py'
recipe = '../swap-pretrained_*_{data}.py'
methods = dict(
    cnn=dict(config='../cnn_*_{data}.py', without=['masks']),
    cnn_balanced=dict(config=balanced, without=['masks']),
    # the paper's, and others' uses of the same boxes: what does nothing with all of
    # them is not asked with few
    gain=dict(config='../gain_*_{data}.py', axis_values=all_boxes),
    cfcn=dict(config='../cfcn_*_{data}.py', axis_values=all_boxes),
    cfcn_c=dict(config='../cfcn-c_*_{data}.py', axis_values=all_boxes),
    rrr=dict(  # a depthwise convolution's second derivative: slower in channels-last
        config='../rrr_*_{data}.py',
        axis_values=all_boxes,
        options={'model.backbone.channels_last': False},
    ),
    energy=dict(config='../energy_*_{data}.py', axis_values=all_boxes),
    l1=dict(config='../l1_*_{data}.py', axis_values=all_boxes),
    actdiff=dict(config='../actdiff_*_{data}.py', axis_values=all_boxes),
    # beyond the paper
    cfcn_share=dict(config='../cfcn-share_*_{data}.py', axis_values=all_boxes),
    # another background, alone, with class weights, and with the focus
    swap=dict(config='../swap_*_{data}.py', axis_values=all_boxes),
    swap_balanced=dict(config=swap_balanced, axis_values=all_boxes),
    swap_balanced_energy=dict(
        config=swap_balanced, axis_values=all_boxes, options={'model.guidance': energy}
    ),
    # outlines made of the boxes, and the recipe, which is tested at 160 pixels
    outline_swap=dict(config=outline_swap, axis_values=all_boxes),
    recipe=dict(config=recipe, axis_values=all_boxes),
    # by few boxes
    swap_balanced_few=dict(config=swap_balanced, axis_values=few_boxes),
    outline_swap_few=dict(config=outline_swap, axis_values=few_boxes),
    recipe_few=dict(config=recipe, axis_values=few_boxes),
    # is it the swap, or the class weights and the choice of images?
    cnn_balanced_guided=dict(
        config=balanced,
        axis_values=some_boxes,
        options={'train_dataloader.sampler': few},
    ),
    # or how often the few are drawn?
    swap_balanced_ordinary=dict(
        config=swap_balanced,
        axis_values=some_boxes,
        options={'train_dataloader.sampler': ordinary},
    ),
    swap_balanced_half=dict(
        config=swap_balanced,
        axis_values=some_boxes,
        options={'train_dataloader.sampler.fraction': 0.5},
    ),
)
for name, method in methods.items():
    if name != 'recipe':
        method['axis_values'] = dict(method.get('axis_values', {}), seed=[0, 1, 2])
baseline = 'cnn'
axes = dict(data=['waterbirds'], masks=['100%', '5%', '1.25%'], seed=[0, 1, 2, 3, 4])
options = {
    'test_cfg': dict(type='ModelAwareTestLoop'),
    'test_evaluator': [
        dict(type='GroupAccuracy'),
        dict(type='FocusMetric'),
        dict(type='ExplanationFocus', method='grad_cam'),
        dict(type='ExplanationFocus', method='input_x_gradient'),
    ],
}
metrics = {
    'mean of groups, %': 'group/mean',
    'worst group, %': 'group/worst',
    'energy inside, %': ('focus/energy', 100),
    'pointing, %': ('focus/pointing', 100),
    'Grad-CAM: energy inside, %': ('grad_cam/energy', 100),
    'input x gradient: energy inside, %': ('input_x_gradient/energy', 100),
}
del few, ordinary, energy, all_boxes, few_boxes, some_boxes
del balanced, swap_balanced, outline_swap, recipe, method, name
