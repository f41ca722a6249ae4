"""Which stock transforms move pixels: the one place that knows.

To teach the package a transform, add it to one of the tables.
"""
import mmcv.transforms as mmcv_transforms
import mmpretrain.datasets.transforms as mmpretrain_transforms
from mmpretrain.datasets.transforms.processing import TorchVisonTransformWrapper
from mmpretrain.registry import TRANSFORMS
from torchvision import transforms as torchvision_transforms

# Move pixels; every draw depends on the image's size, never on its pixels
GEOMETRIC = (
    mmcv_transforms.Resize,
    mmcv_transforms.RandomResize,
    mmcv_transforms.RandomChoiceResize,
    mmcv_transforms.RandomFlip,
    mmcv_transforms.CenterCrop,
    mmcv_transforms.Pad,
    mmpretrain_transforms.RandomResizedCrop,  # EfficientNetRandomCrop is one too
    mmpretrain_transforms.RandomCrop,
    mmpretrain_transforms.ResizeEdge,
    mmpretrain_transforms.EfficientNetCenterCrop,
    mmpretrain_transforms.Rotate,
    mmpretrain_transforms.Shear,
    mmpretrain_transforms.Translate,
    mmpretrain_transforms.Albumentations,  # some of its transforms do
    torchvision_transforms.CenterCrop,
    torchvision_transforms.ElasticTransform,
    torchvision_transforms.Pad,
    torchvision_transforms.RandomAffine,
    torchvision_transforms.RandomCrop,
    torchvision_transforms.RandomHorizontalFlip,
    torchvision_transforms.RandomPerspective,
    torchvision_transforms.RandomResizedCrop,  # MAERandomResizedCrop is one too
    torchvision_transforms.RandomRotation,
    torchvision_transforms.RandomVerticalFlip,
    torchvision_transforms.Resize,
    # some of their operations do
    torchvision_transforms.AutoAugment,
    torchvision_transforms.RandAugment,
    torchvision_transforms.TrivialAugmentWide,
)

# Move no pixel: colours, noise, erasing, formats
PHOTOMETRIC = (
    mmcv_transforms.ImageToTensor,
    mmcv_transforms.Normalize,
    mmcv_transforms.RandomGrayscale,
    mmcv_transforms.ToTensor,
    mmpretrain_transforms.AutoContrast,
    mmpretrain_transforms.Brightness,
    mmpretrain_transforms.ColorJitter,
    mmpretrain_transforms.ColorTransform,
    mmpretrain_transforms.Contrast,
    mmpretrain_transforms.Cutout,
    mmpretrain_transforms.Equalize,
    mmpretrain_transforms.GaussianBlur,
    mmpretrain_transforms.Invert,
    mmpretrain_transforms.Lighting,
    mmpretrain_transforms.NumpyToPIL,
    mmpretrain_transforms.PILToNumpy,
    mmpretrain_transforms.Posterize,
    mmpretrain_transforms.RandomErasing,
    mmpretrain_transforms.Sharpness,
    mmpretrain_transforms.Solarize,
    mmpretrain_transforms.SolarizeAdd,
    torchvision_transforms.ColorJitter,
    torchvision_transforms.ConvertImageDtype,
    torchvision_transforms.GaussianBlur,
    torchvision_transforms.Grayscale,
    torchvision_transforms.Normalize,
    torchvision_transforms.PILToTensor,
    torchvision_transforms.RandomAdjustSharpness,
    torchvision_transforms.RandomAutocontrast,
    torchvision_transforms.RandomEqualize,
    torchvision_transforms.RandomErasing,
    torchvision_transforms.RandomGrayscale,
    torchvision_transforms.RandomInvert,
    torchvision_transforms.RandomPosterize,
    torchvision_transforms.RandomSolarize,
    torchvision_transforms.ToPILImage,
    torchvision_transforms.ToTensor,
)

# Run others, which they keep in `transforms`
COMPOUND = (
    mmcv_transforms.Compose,
    mmcv_transforms.RandomApply,
    mmcv_transforms.RandomChoice,  # AutoAugment is one too
    mmpretrain_transforms.RandAugment,
)


KINDS = dict(geometric=GEOMETRIC, photometric=PHOTOMETRIC, compound=COMPOUND)


def kind_of(transform: type) -> str | None:
    """``'geometric'``, ``'photometric'``, ``'compound'``; None: it is not known.

    Args:
        transform: The class of a transform.
    """
    for kind, known in KINDS.items():
        if issubclass(transform, known):
            return kind
    return None


def moves_pixels(transform) -> bool | None:
    """Whether a transform moves pixels. None: the tables do not know it.

    Args:
        transform: A built transform.
    """
    kind = kind_of(type(unwrap(transform)))
    if kind == 'compound':
        answers = [moves_pixels(part) for part in transform.transforms]
        return True if True in answers else None if None in answers else False
    return {'geometric': True, 'photometric': False}.get(kind)


def unwrap(transform):
    """The torchvision transform in mmpretrain's wrapper; others as they are."""
    if isinstance(transform, TorchVisonTransformWrapper):
        return transform.t
    return transform


def transform_type(name: str | type) -> type | None:
    """The class behind a config's ``type``; None if none is registered."""
    registered = TRANSFORMS.get(name) if isinstance(name, str) else name
    # torchvision's are registered as their wrapper's constructor
    return getattr(registered, 'keywords', {}).get('transform', registered)


def type_name(transform) -> str:
    """What a config calls the type of a transform."""
    name = type(unwrap(transform)).__name__
    return name if unwrap(transform) is transform else f'torchvision/{name}'
