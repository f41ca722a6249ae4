"""The test pipeline of a config, without masks."""

from mmengine.config import Config

from .config.replace_masks import without_masks
from .datasets.wrappers import first_pipeline


def plain_test_pipeline(cfg: Config) -> list[dict]:
    """Configs of transforms: how a test loads images, and no mask.

    Raises:
        ValueError: The config has no test and no validation data.
    """
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader')
    if not loader:
        raise ValueError(
            'the config needs a test_dataloader or val_dataloader for its test pipeline'
        )
    return without_masks(first_pipeline(loader))
