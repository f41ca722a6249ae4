# The paper's network for CFCN-C (appendix C): a plain stack, a 1x1 convolution with a
# filter a class, global average pooling; Eq. 2 on those maps. Inputs in [0, 1].
# CFCN-F is head.mode='feature' and guidance.channels='all' (Eq. 1). The baseline is
# guidance=None: the paper's CNN is "the same extractor"; that it has CFCN-C's head, so
# that guidance is all that differs, is our choice.
model = dict(
    type='GuidedClassifier',
    data_preprocessor=dict(mean=[0, 0, 0], std=[255, 255, 255], to_rgb=True),
    backbone=dict(type='CFCNNet'),
    head=dict(type='CausalFocusHead', mode='class'),
    guidance=dict(type='CausalFocusLoss', channels='target'))
