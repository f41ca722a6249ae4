# The page docs/results/textured-digits.md: the paper's methods and their baseline.
methods = {
    'cnn': '../cnn_cfcnnet_{data}.py',
    'gain': '../gain_cfcnnet_{data}.py',
    'cfcn_f': dict(config='../cfcn-f_cfcnnet_{data}.py', baseline='cnn_f'),
    'cfcn_c': '../cfcn-c_cfcnnet_{data}.py',
    # CFCN-F's own baseline: the other head, and no guidance
    'cnn_f': dict(
        config='../cfcn-f_cfcnnet_{data}.py', options={'model.guidance': None}
    ),
}
baseline = 'cnn'
axes = dict(data=['textured-digits'], seed=[0, 1, 2])
options = {
    'test_cfg': dict(type='ModelAwareTestLoop'),
    'test_evaluator': [
        dict(type='GroupAccuracy'),
        dict(type='FocusMetric'),
        dict(type='Calibration'),
        dict(type='ExplanationFocus', method='grad_cam'),
        dict(type='ExplanationFocus', method='input_x_gradient'),
    ],
}
metrics = {
    'tied, % right': 'group/tied',
    'untied, % right': 'group/untied',
    'trained map: energy inside, %': ('focus/energy', 100),
    'Grad-CAM: energy inside, %': ('grad_cam/energy', 100),
    'input x gradient: energy inside, %': ('input_x_gradient/energy', 100),
}
