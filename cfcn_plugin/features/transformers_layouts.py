"""Where image models of transformers have their last map.

A classifier is found by the model inside of it. To add a model, add a line to
:data:`LAYOUTS`.
"""

from torch import nn

from .layout import Layout


def _hidden_state(prefix_tokens: int = 0, channels_last: bool = False):
    """The first value of a model's output, ``last_hidden_state``, is the map."""
    return lambda m: Layout(
        '', item=0, prefix_tokens=prefix_tokens, channels_last=channels_last
    )


def _with_registers(m: nn.Module) -> Layout:
    return _hidden_state(1 + m.config.num_register_tokens)(m)


# names of transformers' classes -> the layout of the model
LAYOUTS = {
    # maps, or tokens of the grid alone
    (
        'BitModel',
        'ConvNextModel',
        'ConvNextV2Model',
        'CvtModel',
        'DonutSwinModel',
        'EfficientNetModel',
        'FocalNetModel',
        'HieraModel',
        'IJepaModel',
        'LevitModel',
        'MobileNetV1Model',
        'MobileNetV2Model',
        'MobileViTModel',
        'MobileViTV2Model',
        'PoolFormerModel',
        'PvtV2Model',
        'RegNetModel',
        'ResNetModel',
        'SegformerModel',
        'SiglipVisionModel',
        'SiglipVisionTransformer',
        'SwiftFormerModel',
        'SwinModel',
        'Swinv2Model',
        'TextNetModel',
    ): _hidden_state(),
    ('DinatModel',): _hidden_state(channels_last=True),
    # a class token first
    (
        'BeitModel',
        'CLIPVisionModel',
        'CLIPVisionTransformer',
        'Data2VecVisionModel',
        'Dinov2Model',
        'MetaClip2VisionModel',
        'MetaClip2VisionTransformer',
        'PvtModel',
        'ViTModel',
        'ViTMSNModel',
    ): _hidden_state(1),
    ('DeiTModel',): _hidden_state(2),
    ('Dinov2WithRegistersModel', 'DINOv3ViTModel'): _with_registers,
    # the classifier has the norm before the pooling, or the pooling
    ('PoolFormerForImageClassification', 'SwiftFormerForImageClassification'): (
        lambda m: Layout('norm')
    ),
    ('HGNetV2ForImageClassification', 'PPLCNetForImageClassification'): (
        lambda m: Layout('avg_pool', 'input')
    ),
}
