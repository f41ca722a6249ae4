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
    return guide_pipeline(without_masks(pipeline), 'the test pipeline', load)


def without_masks(pipeline: list) -> list:
    """A pipeline that loads no mask and packs none."""
    return [
        dict(step, type='PackInputs') if step['type'] == 'PackGuidedInputs' else step
        for step in pipeline
        if step['type'] != LOAD_MASK
    ]
