# CFCN-C with one setting for all data, alpha 1 and logits ten times the maps' means,
# beside the plain network with these logits; with the paper's: textured_digits.py.
_base_ = './textured_digits.py'
scaled = {'model.head.logit_scale': 10.0}
methods = dict(
    _delete_=True,
    cnn_scaled=dict(config='../cnn_cfcnnet_{data}.py', options=scaled),
    cfcn_c_scaled=dict(
        config='../cfcn-c_cfcnnet_{data}.py',
        options={**scaled, 'model.guidance.loss_weight': 1.0},
    ),
)
baseline = 'cnn_scaled'
del scaled
