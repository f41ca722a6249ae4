"""Where classifiers of torchvision have their last map.

To add a model, add a line to :data:`LAYOUTS`.
"""

from torch import nn

from .layout import Layout


def _pool_in_classifier(m: nn.Module) -> Layout:
    """The input of the pooling inside the classifier, or of a classifier without."""
    pool = next(
        (
            name
            for name, part in m.classifier.named_modules()
            if isinstance(part, nn.AdaptiveAvgPool2d)
        ),
        '',
    )
    return Layout(f'classifier.{pool}'.rstrip('.'), 'input')


# names of torchvision's classes -> the layout of the classifier
LAYOUTS = {
    (
        'AlexNet',
        'ConvNeXt',
        'EfficientNet',
        'GoogLeNet',
        'Inception3',
        'MobileNetV3',
        'RegNet',
        'ResNet',
        'SwinTransformer',
        'VGG',
    ): lambda m: Layout('avgpool', 'input'),
    # these pool by a function: the map is what their last stage gives
    ('MobileNetV2',): lambda m: Layout('features'),
    ('MNASNet',): lambda m: Layout('layers'),
    ('ShuffleNetV2',): lambda m: Layout('conv5'),
    ('DenseNet',): lambda m: Layout('features', settled=True),  # then an in-place ReLU
    # SqueezeNet pools maps of classes
    ('MaxVit', 'SqueezeNet'): _pool_in_classifier,
    ('VisionTransformer',): lambda m: Layout('encoder', prefix_tokens=1),
}
