"""Tables of the stock transforms that move pixels, and of those that do not.

To support a transform, add its class to one of the tables. A subclass has the kind of
its base class: EfficientNetRandomCrop, MAERandomResizedCrop, AutoAugment.
"""

from mmcv import transforms as mmcv
from mmpretrain.datasets import transforms as mmpretrain
from mmpretrain.datasets.transforms.processing import TorchVisonTransformWrapper
from mmpretrain.registry import TRANSFORMS
from torchvision import transforms as torchvision

# Move pixels, or have operations that move pixels (Albumentations, torchvision's
# policies); draws may depend on the image's size, but not on its pixels
GEOMETRIC = (
    mmcv.Resize,
    mmcv.RandomResize,
    mmcv.RandomChoiceResize,
    mmcv.RandomFlip,
    mmcv.CenterCrop,
    mmcv.Pad,
    mmpretrain.RandomResizedCrop,
    mmpretrain.RandomCrop,
    mmpretrain.ResizeEdge,
    mmpretrain.EfficientNetCenterCrop,
    mmpretrain.Rotate,
    mmpretrain.Shear,
    mmpretrain.Translate,
    mmpretrain.Albumentations,
    torchvision.CenterCrop,
    torchvision.ElasticTransform,
    torchvision.Pad,
    torchvision.RandomAffine,
    torchvision.RandomCrop,
    torchvision.RandomHorizontalFlip,
    torchvision.RandomPerspective,
    torchvision.RandomResizedCrop,
    torchvision.RandomRotation,
    torchvision.RandomVerticalFlip,
    torchvision.Resize,
    torchvision.AutoAugment,
    torchvision.RandAugment,
    torchvision.TrivialAugmentWide,
)

# Move no pixel: colours, noise, erasing, formats
PHOTOMETRIC = (
    mmcv.ImageToTensor,
    mmcv.Normalize,
    mmcv.RandomGrayscale,
    mmcv.ToTensor,
    mmpretrain.AutoContrast,
    mmpretrain.Brightness,
    mmpretrain.ColorJitter,
    mmpretrain.ColorTransform,
    mmpretrain.Contrast,
    mmpretrain.Cutout,
    mmpretrain.Equalize,
    mmpretrain.GaussianBlur,
    mmpretrain.Invert,
    mmpretrain.Lighting,
    mmpretrain.NumpyToPIL,
    mmpretrain.PILToNumpy,
    mmpretrain.Posterize,
    mmpretrain.RandomErasing,
    mmpretrain.Sharpness,
    mmpretrain.Solarize,
    mmpretrain.SolarizeAdd,
    torchvision.ColorJitter,
    torchvision.ConvertImageDtype,
    torchvision.GaussianBlur,
    torchvision.Grayscale,
    torchvision.Normalize,
    torchvision.PILToTensor,
    torchvision.RandomAdjustSharpness,
    torchvision.RandomAutocontrast,
    torchvision.RandomEqualize,
    torchvision.RandomErasing,
    torchvision.RandomGrayscale,
    torchvision.RandomInvert,
    torchvision.RandomPosterize,
    torchvision.RandomSolarize,
    torchvision.ToPILImage,
    torchvision.ToTensor,
)

# Run the transforms in their attribute `transforms`
COMPOUND = (mmcv.Compose, mmcv.RandomApply, mmcv.RandomChoice, mmpretrain.RandAugment)

KINDS = dict(geometric=GEOMETRIC, photometric=PHOTOMETRIC, compound=COMPOUND)


def kind_of(transform: type) -> str | None:
    """``'geometric'``, ``'photometric'``, ``'compound'``; None if unknown.

    Args:
        transform: The class of a transform.
    """
    return next((k for k, known in KINDS.items() if issubclass(transform, known)), None)


def moves_pixels(transform) -> bool | None:
    """Whether a transform moves pixels; None if the transform is in no table.

    Args:
        transform: A built transform.
    """
    kind = kind_of(type(unwrap(transform)))
    if kind == 'compound':
        answers = [moves_pixels(part) for part in transform.transforms]
        return True if True in answers else None if None in answers else False
    return {'geometric': True, 'photometric': False}.get(kind)


def unwrap(transform):
    """The torchvision transform in mmpretrain's wrapper; others unchanged."""
    if isinstance(transform, TorchVisonTransformWrapper):
        return transform.t
    return transform


def transform_type(name: str | type) -> type | None:
    """The class for a config's ``type``; None if no class is registered."""
    registered = TRANSFORMS.get(name) if isinstance(name, str) else name
    # torchvision's transforms are registered as the constructor of their wrapper
    return getattr(registered, 'keywords', {}).get('transform', registered)


def type_name(transform) -> str:
    """The name of a transform's type in configs."""
    name = type(unwrap(transform)).__name__
    return name if unwrap(transform) is transform else f'torchvision/{name}'
