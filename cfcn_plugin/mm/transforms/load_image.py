"""Loading images of which a few may be broken."""
from mmcv.transforms import LoadImageFromFile
from mmengine.logging import MMLogger

from cfcn_plugin.stock import Stock

ON_ERROR = ('raise', 'another')
ALL_BAD = 32  # so many failures and no success are not a bad file


class LoadImage(LoadImageFromFile):
    """``LoadImageFromFile`` that says which file is broken, or goes on without it.

    Keys are the stock transform's.

    Args:
        *args, **kwargs: As ``LoadImageFromFile``.
        on_error: What an image does that cannot be read. ``'raise'``: it ends the
            run. ``'another'``: the data set draws another one in its place (of a
            training set; a test set has no other); it is named, and the failures of
            the process are counted, in the log. Where the first 32 fail, all raise.

    Raises:
        OSError: The image cannot be read.
    """
    stock = Stock('LoadImageFromFile', extra_keys=('on_error', ))

    def __init__(self, *args, on_error: str = 'raise', **kwargs):
        if on_error not in ON_ERROR:
            raise ValueError(f'`on_error` must be one of {ON_ERROR}, got {on_error!r}')
        super().__init__(*args, **kwargs)
        self.on_error = on_error
        self._failed = set()
        self._any_fine = False

    def transform(self, results: dict) -> dict | None:
        try:
            loaded = super().transform(results)
        except Exception as error:  # a decoder may raise anything
            return self._fail(results['img_path'], error)
        self._any_fine = True
        return loaded

    def _fail(self, file: str, error: Exception) -> None:
        why = f"image '{file}' cannot be read: {error or type(error).__name__}"
        new = file not in self._failed
        self._failed.add(file)
        count = len(self._failed)
        if self.on_error == 'raise':
            raise OSError(
                f"{why}. Replace the file, or go on without such ones with dict(type="
                "'LoadImage', on_error='another')") from error
        if not self._any_fine and count >= ALL_BAD:
            raise OSError(
                f'the first {ALL_BAD} images can all not be read, which is not a bad '
                f'file but a wrong folder or option; the last one: {why}') from error
        if new:
            MMLogger.get_current_instance().warning(
                f'{why}; another is drawn in its place ({count} in this process so '
                'far)')
