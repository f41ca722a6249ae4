"""A pipeline with the masks of another one."""
from .guide import guide_pipeline

LOAD_MASK = 'LoadActivationMask'


def replace_masks(pipeline: list, load: dict) -> list:
    """A pipeline, guided or stock, that loads its masks by another's config.

    Args:
        pipeline: Configs of transforms, of which the last one packs.
        load: Config of LoadActivationMask.

    Raises:
        ValueError: It is not known how a transform moves pixels.
    """
    unmasked = [_unmasked(step) for step in pipeline if step['type'] != LOAD_MASK]
    return guide_pipeline(unmasked, 'the test pipeline', load)


def _unmasked(step: dict) -> dict:
    if step['type'] == 'PackGuidedInputs':
        return dict(step, type='PackInputs')
    return step
