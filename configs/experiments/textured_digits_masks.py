# Figure 8 of the paper: training images against masks.
_base_ = './textured_digits.py'
methods = {
    '_delete_': True,
    'cnn': dict(config='../cnn_cfcnnet_{data}.py', without=['masks']),
    'cfcn_c': '../cfcn-c_cfcnnet_{data}.py',
}
axes = dict(size=[60, 120, 240, 360], masks=['3%', '10%', '15%', '100%'])
