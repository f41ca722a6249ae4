"""Whether a model and its data sets agree on the classes."""

from collections.abc import Sequence

from mmengine.dataset import BaseDataset
from torch import nn

from .unwrap_model import unwrap_model


def check_class_count(model: nn.Module, dataset: BaseDataset) -> None:
    """Check that a model's head has as many classes as a data set.

    Raises:
        ValueError: The numbers of classes differ.
    """
    wanted = getattr(getattr(unwrap_model(model), 'head', None), 'num_classes', None)
    classes = dataset.metainfo.get('classes')
    if None not in (wanted, classes) and wanted != len(classes):
        raise ValueError(
            f'the model has head.num_classes={wanted}, {type(dataset).__name__} has '
            f'{len(classes)} classes ({", ".join(classes[:4])} ...): make them equal'
        )


def check_labels(trained: Sequence[str] | None, dataset: BaseDataset) -> None:
    """Check that a class has the same label in training and in ``dataset``.

    A name may have several labels, as in ImageNet.

    Args:
        trained: The classes that the model is trained on. None: unknown.

    Raises:
        ValueError: A class has another label.
    """
    for label, name in enumerate(dataset.metainfo.get('classes') or ()):
        same = [i for i, other in enumerate(trained or ()) if other == name]
        if same and label not in same:
            raise ValueError(
                f"class '{name}' has the label {same[0]} in training and the label "
                f'{label} in {type(dataset).__name__}: give '
                'these data sets the same `classes`, in the same order'
            )
