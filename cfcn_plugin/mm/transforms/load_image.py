"""Loading images of which a few may be broken."""
from mmcv.transforms import LoadImageFromFile
from mmengine.logging import MMLogger

from cfcn_plugin.masks.failures import Failures
from cfcn_plugin.stock import Stock

ON_ERROR = ('raise', 'another')


class LoadImage(LoadImageFromFile):
    """``LoadImageFromFile`` that says which file is broken, or goes on without it.

    Keys are the stock transform's.

    Args:
        *args, **kwargs: As ``LoadImageFromFile``.
        on_error: What happens where an image cannot be read. ``'raise'``: the run
            ends. ``'another'``: a training set draws another image in its place (a
            test set has no other); the log names each such image and counts them in
            each process. Where the first 32 fail, the run ends.

    Raises:
        OSError: The image cannot be read.
    """
    stock = Stock('LoadImageFromFile', extra_keys=('on_error', ))

    def __init__(self, *args, on_error: str = 'raise', **kwargs):
        if on_error not in ON_ERROR:
            raise ValueError(f'`on_error` must be one of {ON_ERROR}, got {on_error!r}')
        super().__init__(*args, **kwargs)
        self.on_error = on_error
        self._failures = Failures(OSError, 'images cannot be read')

    def transform(self, results: dict) -> dict | None:
        try:
            loaded = super().transform(results)
        except Exception as error:  # a decoder may raise anything
            return self._fail(results['img_path'], error)
        self._failures.any_fine = True
        return loaded

    def _fail(self, file: str, error: Exception) -> None:
        why = f"image '{file}' cannot be read: {error or type(error).__name__}"
        if self.on_error == 'raise':
            raise OSError(
                f"{why}. Replace the file, or go on without such ones with dict(type="
                "'LoadImage', on_error='another')") from error
        count = self._failures.add(file, OSError(why))
        if count:
            MMLogger.get_current_instance().warning(
                f'{why}; another is drawn in its place ({count} in this process so '
                'far)')
