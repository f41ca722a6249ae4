# Figure 7 of the paper: the effect of alpha. With a large alpha activations shrink.
_base_ = './textured_digits.py'
methods = {
    '_delete_': True,
    'cnn': dict(config='../cnn_cfcnnet_{data}.py', without=['alpha']),
    'cfcn_c': '../cfcn-c_cfcnnet_{data}.py',
}
axes = dict(alpha=[0.1, 0.3, 1.0, 3.0, 10.0])
options = {'train_cfg.val_interval': 3}  # for the curves of figure 6
