"""Writing values that the model resolved into the dumped config."""

from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from cfcn_plugin.stock import GOES

from .unwrap_model import unwrap_model


class ResolvedConfigHook(Hook):
    """Write resolved values (a head's ``in_channels``) into the runner's config.

    The config's dump in the work dir and the checkpoints then have these values, too.
    """

    stock = GOES
    priority = 'VERY_HIGH'

    def before_run(self, runner) -> None:
        resolved = getattr(unwrap_model(runner.model), 'resolved', {})
        if not resolved or not isinstance(runner.cfg.get('model'), dict):
            return
        prefix = 'model.module' if 'module' in runner.cfg.model else 'model'  # TTA
        runner.cfg.merge_from_dict(
            {f'{prefix}.{key}': value for key, value in resolved.items()}
        )
        if is_main_process():
            runner.dump_config()
