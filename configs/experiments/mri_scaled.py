# CFCN-C with one setting for all data, alpha 1 and logits ten times the maps' means,
# beside the plain network with the paper's logits and with these.
_base_ = './mri.py'
scaled = {'model.head.logit_scale': 10.0}
cnn = '../cnn_cfcnnet_*_{data}.py'
methods = dict(
    _delete_=True,
    cnn=cnn,
    cnn_scaled=dict(config=cnn, options=scaled),
    cfcn_c_scaled=dict(
        config='../cfcn-c_cfcnnet_*_{data}.py',
        options={**scaled, 'model.guidance.loss_weight': 1.0},
    ),
)
del scaled, cnn
