# The paper's methods on lesions of the eye, several labels an image (Eq. 3), at what two
# cores do: half of Table 4's width and height, a fifth of its epochs at a higher rate.
# Test images are 27, and only soft exudates vary as a label: scores are coarse.
methods = {
    'cnn': '../cnn_cfcnnet_*_{data}.py',
    'gain': '../gain_cfcnnet_*_{data}.py',
    'cfcn_f': dict(
        config='../cfcn-f_cfcnnet_*_{data}.py',
        baseline='cnn_f',
        options={'model.head.input_size': (88, 125)},
    ),
    'cfcn_c': '../cfcn-c_cfcnnet_*_{data}.py',
    # CFCN-F's own baseline: the other head, and no guidance
    'cnn_f': dict(
        config='../cfcn-f_cfcnnet_*_{data}.py',
        options={'model.guidance': None, 'model.head.input_size': (88, 125)},
    ),
}
baseline = 'cnn'
axes = dict(data=['idrid'], seed=[0, 1, 2])
small = (125, 88)
options = {
    'optim_wrapper.optimizer.lr': 1e-3,
    'param_scheduler': [
        dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=70),
        dict(type='CosineAnnealingLR', convert_to_iter_based=True),
    ],
    'train_cfg.max_epochs': 40,
    'train_cfg.val_interval': 40,
    'train_dataloader.dataset.pipeline.2.transform.scale': small,
    'val_dataloader.dataset.pipeline.2.transform.scale': small,
    'test_dataloader.dataset.pipeline.2.transform.scale': small,
    'test_cfg': dict(type='ModelAwareTestLoop'),
    'test_evaluator': [
        dict(type='MultiLabelMetric', items=['f1-score'], thr=0.5),
        dict(type='AUROC', multi_label=True),
        dict(type='FocusMetric'),
        dict(type='ExplanationFocus', method='grad_cam'),
        dict(type='ExplanationFocus', method='input_x_gradient'),
    ],
}
metrics = {
    'macro F1, %': 'multi-label/f1-score',
    'macro AUROC, %': 'auroc/macro',
    'trained map: energy inside, %': ('focus/energy', 100),
    'Grad-CAM: energy inside, %': ('grad_cam/energy', 100),
    'input x gradient: energy inside, %': ('input_x_gradient/energy', 100),
}
del small
