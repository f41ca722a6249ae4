"""What a mask source gives, checked against the contract."""
from .base import MaskError, MaskRecord


def check_record(record: MaskRecord) -> None:
    """Check that a record of a (perhaps user's) source is as :class:`MaskRecord` says.

    Raises:
        MaskError: The record has other values, types or shapes.
    """
    for name in ('mask', 'ignore'):
        values = getattr(record, name)
        if values is not None and values.size and (
                values.dtype.kind not in 'bui' or values.min() < 0
                or values.max() > 1):
            raise MaskError(
                f'`{name}` of a MaskRecord must be 0 and 1, uint8 or bool, got '
                f'{values.dtype} from {values.min()} to {values.max()}')
    classes = record.classes
    if classes is not None and (
            classes.dtype.kind not in 'ui' or classes.min(initial=0) < 0
            or record.mask.ndim != 3 or len(classes) != len(record.mask)):
        raise MaskError(
            '`classes` of a MaskRecord must be one whole number from 0 for each plane '
            f'of a (K, H, W) mask, got {classes!r} for one of {record.mask.shape}')
