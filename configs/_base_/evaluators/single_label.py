# The paper's metrics for one label an image: accuracy, macro F1, AUROC; and the focus of
# the activation.
val_evaluator = [
    dict(type='Accuracy', topk=1),
    dict(type='SingleLabelMetric', items=['f1-score']),
    dict(type='AUROC'),
    dict(type='FocusMetric'),
]
test_evaluator = val_evaluator
