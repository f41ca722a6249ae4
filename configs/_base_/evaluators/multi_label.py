# The measures for several labels a picture: macro F1 and area under ROC; and where the
# activation lies. A label that all test pictures have, or none, has no ROC.
val_evaluator = [
    dict(type='MultiLabelMetric', items=['f1-score'], thr=0.5),
    dict(type='AUROC', multi_label=True),
    dict(type='FocusMetric'),
]
test_evaluator = val_evaluator
