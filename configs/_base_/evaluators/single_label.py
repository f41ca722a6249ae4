# The paper's measures for one label an image: accuracy, macro F1, area under ROC; and
# where the activation lies.
val_evaluator = [
    dict(type='Accuracy', topk=1),
    dict(type='SingleLabelMetric', items=['f1-score']),
    dict(type='AUROC'),
    dict(type='FocusMetric'),
]
test_evaluator = val_evaluator
