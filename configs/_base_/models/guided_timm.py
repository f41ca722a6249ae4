# Any timm backbone, stock pooling and stock linear head, guided by Eq. 1 on the map
# that pooling receives. `model.backbone.model_name` selects the backbone.
model = dict(
    type='GuidedClassifier',
    backbone=dict(type='GuidedTIMMBackbone', pretrained=True),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=None),
    guidance=dict(type='CausalFocusLoss', loss_weight=1.0, channels='all'),
    feature_hook=dict(type='FeatureHook', target='auto'),
)
