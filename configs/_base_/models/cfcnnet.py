# The paper's network for CFCN-C (appendix C): a plain stack of convolutions, a 1x1
# convolution with one filter for each class, global average pooling; Eq. 2 on the class
# maps. Inputs in [0, 1]. CFCN-F is head.mode='feature' and guidance.channels='all' (Eq.
# 1). The baseline is guidance=None. The paper's CNN is "the same extractor"; CFCN-C's
# head in the baseline is our choice, so that only guidance differs.
model = dict(
    type='GuidedClassifier',
    data_preprocessor=dict(mean=[0, 0, 0], std=[255, 255, 255], to_rgb=True),
    backbone=dict(type='CFCNNet'),
    head=dict(type='CausalFocusHead', mode='class'),
    guidance=dict(type='CausalFocusLoss', channels='target'),
)
