# Figures 9 and 15 of the paper, in numbers: other backgrounds and lighting.
_base_ = './textured_digits.py'
methods = {
    '_delete_': True,
    'cnn': '../cnn_cfcnnet_{data}.py',
    'gain': '../gain_cfcnnet_{data}.py',
    'cfcn_c': '../cfcn-c_cfcnnet_{data}.py',
}
options = {
    'test_cfg': dict(type='ModelAwareTestLoop'),
    'test_evaluator': [
        dict(type='GroupAccuracy'),
        dict(type='BackgroundSwapMetric'),
        dict(type='BrightnessCurve'),
        dict(type='ContrastCurve'),
        dict(type='Calibration'),
    ],
}
metrics = {
    '_delete_': True,
    "another class's background": 'swap/other_class',
    "the same class's": 'swap/same_class',
    'no background': 'swap/no_background',
    'no object': 'swap/no_object',
    'half the light': 'brightness/0.5',
    'half again as much': 'brightness/1.5',
    'half the contrast': 'contrast/0.5',
}
