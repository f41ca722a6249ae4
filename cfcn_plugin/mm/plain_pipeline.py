"""The test pipeline of a config, without masks."""

from mmengine.config import Config

from .config.replace_masks import without_masks
from .datasets.wrappers import dataset_configs


def plain_test_pipeline(cfg: Config) -> list[dict]:
    """Configs of transforms: how a test loads images, and no mask.

    Raises:
        ValueError: The config has no test and no validation data.
    """
    test = next(
        (
            cfg[name].dataset
            for name in ('test_dataloader', 'val_dataloader')
            if cfg.get(name)
        ),
        None,
    )
    if test is None:
        raise ValueError(
            'the config needs a test_dataloader or val_dataloader for its test pipeline'
        )
    pipeline = next(
        (one['pipeline'] for _, one in dataset_configs(test) if one.get('pipeline')), []
    )
    return without_masks(pipeline)
