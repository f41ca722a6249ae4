# The paper's methods on two sets of MRI slices, at what two cores do: half of Table 4's
# width and height and of its filters, 10 epochs at a higher rate.
methods = {
    'cnn': '../cnn_cfcnnet_*_{data}.py',
    'gain': '../gain_cfcnnet_*_{data}.py',
    'cfcn_f': dict(
        config='../cfcn-f_cfcnnet_*_{data}.py',
        baseline='cnn_f',
        options={'model.head.input_size': 12},
    ),
    'cfcn_c': '../cfcn-c_cfcnnet_*_{data}.py',
    # CFCN-F's own baseline: the other head, and no guidance
    'cnn_f': dict(
        config='../cfcn-f_cfcnnet_*_{data}.py',
        options={'model.guidance': None, 'model.head.input_size': 12},
    ),
}
baseline = 'cnn'
axes = dict(data=['brain-mri', 'lgg-mri'], seed=[0, 1, 2])
small = (48, 48)
options = {
    'model.backbone.filters': [32, 32, 32, 16, 16, 16],
    'optim_wrapper.optimizer.lr': 1e-3,
    # without the warm-up a class map can become zero in the first steps and stay zero
    'param_scheduler': [
        dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=70),
        dict(type='CosineAnnealingLR', convert_to_iter_based=True),
    ],
    'train_cfg.max_epochs': 10,
    'train_cfg.val_interval': 10,
    'train_dataloader.dataset.pipeline.2.transform.scale': small,
    'val_dataloader.dataset.pipeline.2.transform.scale': small,
    'test_dataloader.dataset.pipeline.2.transform.scale': small,
    'test_cfg': dict(type='ModelAwareTestLoop'),
    'test_evaluator': [
        dict(type='Accuracy', topk=1),
        dict(type='SingleLabelMetric', items=['f1-score']),
        dict(type='AUROC'),
        dict(type='FocusMetric'),
        dict(type='ExplanationFocus', method='grad_cam'),
        dict(type='ExplanationFocus', method='input_x_gradient'),
    ],
}
metrics = {
    'accuracy, %': 'accuracy/top1',
    'macro F1, %': 'single-label/f1-score',
    'macro AUROC, %': 'auroc/macro',
    'trained map: energy inside, %': ('focus/energy', 100),
    'Grad-CAM: energy inside, %': ('grad_cam/energy', 100),
    'input x gradient: energy inside, %': ('input_x_gradient/energy', 100),
}
del small
