"""Loading images with an option for damaged files."""

from io import BytesIO

from mmcv.transforms import LoadImageFromFile
from mmengine import fileio
from mmengine.logging import MMLogger

from cfcn_plugin.masks.failures import Failures
from cfcn_plugin.masks.io.open_image import open_image
from cfcn_plugin.options import check_choice
from cfcn_plugin.printable import printable
from cfcn_plugin.stock import Stock

ON_ERROR = ('raise', 'another')
PILLOW = ('pillow', None)  # None: the choice of mmcv.use_backend


class LoadImage(LoadImageFromFile):
    """``LoadImageFromFile`` that names unreadable files, or replaces them.

    Keys are the same as of the stock transform. With ``imdecode_backend='pillow'`` only
    the formats of :mod:`cfcn_plugin.masks.io.open_image` are loaded, so that no image
    starts Ghostscript.
    An image without a file, which one of mmpretrain's inferencers has loaded, stays as
    it is.

    Args:
        *args, **kwargs: As ``LoadImageFromFile``.
        on_error: Handling of an unreadable image. ``'raise'``: the run ends.
            ``'another'``: a training set draws another image instead (a test set
            cannot); the log names and counts these images in each process. If the
            first 32 images fail, the run ends.

    Raises:
        OSError: The image cannot be read.
    """

    stock = Stock('LoadImageFromFile', extra_keys=('on_error',))

    def __init__(self, *args, on_error: str = 'raise', **kwargs):
        check_choice('on_error', on_error, ON_ERROR)
        super().__init__(*args, **kwargs)
        self.on_error = on_error
        self._failures = Failures(OSError, 'images cannot be read')

    def transform(self, results: dict) -> dict | None:
        if 'img' in results and 'img_path' not in results:
            return results
        try:
            if self.imdecode_backend in PILLOW:
                open_image(BytesIO(self._read(results['img_path']))).close()
            loaded = super().transform(results)
        except Exception as error:  # decoders raise errors of many types
            return self._fail(results['img_path'], error)
        self._failures.any_fine = True
        return loaded

    def _read(self, file: str) -> bytes:
        if self.file_client_args is None:
            return fileio.get(file, backend_args=self.backend_args)
        return fileio.FileClient.infer_client(self.file_client_args, file).get(file)

    def _fail(self, file: str, error: Exception) -> None:
        why = printable(
            f"image '{file}' cannot be read: {error or type(error).__name__}"
        )
        if self.on_error == 'raise':
            raise OSError(
                f'{why}. Replace the file, or skip unreadable images with dict(type='
                "'LoadImage', on_error='another')"
            ) from error
        count = self._failures.add(file, OSError(why))
        if count:
            MMLogger.get_current_instance().warning(
                f'{why}; another is drawn in its place ({count} in this process so far)'
            )
