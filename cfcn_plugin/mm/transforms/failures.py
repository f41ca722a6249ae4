"""Masks that could not be used, where that does not end a run."""
from mmengine.logging import MMLogger

from cfcn_plugin.masks import MaskError

MOST_SAID = 100  # lines in one process
ALL_BAD = 32  # so many failures and no success are not a bad file


class Failures:
    """Says each failure once, and tells a bad file from a wrong option.

    A process has its own, and so does each worker of a data loader.
    """

    def __init__(self):
        self.any_fine = False
        self.said = set()

    def add(self, name: str, error: MaskError) -> None:
        """Log that the image ``name`` is unguided.

        Raises:
            MaskError: It is the 32nd, and no mask has been fine.
        """
        if name in self.said or len(self.said) == MOST_SAID:
            return
        self.said.add(name)
        if not self.any_fine and len(self.said) == ALL_BAD:
            raise MaskError(
                f'the first {ALL_BAD} masks can all not be used, which is not a bad '
                f'file but a wrong option; the last one: {error}') from error
        logger = MMLogger.get_current_instance()
        logger.warning(f'{name} is unguided: {error}')
        if len(self.said) == MOST_SAID:
            logger.warning(f'{MOST_SAID} masks cannot be used in this process, more '
                           'are not named: see `mask_error_fraction`')
