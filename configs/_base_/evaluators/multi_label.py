# Metrics for several labels an image: macro F1, AUROC, and the focus of the activation.
# A label that all test images have, or none, has no ROC.
val_evaluator = [
    dict(type='MultiLabelMetric', items=['f1-score'], thr=0.5),
    dict(type='AUROC', multi_label=True),
    dict(type='FocusMetric'),
]
test_evaluator = val_evaluator
