"""Guidance batches from their fields by name, whichever part has the field."""

from dataclasses import fields, replace

from torch import Tensor

from cfcn_plugin.guidance import GuidanceBatch, MaskBatch, ModelView


def guidance_batch(**given) -> GuidanceBatch:
    """A batch of the fields of GuidanceBatch, MaskBatch and ModelView.

    ``maps`` may be one tensor.
    """
    masks, model = _split(given, MaskBatch), _split(given, ModelView)
    masks.setdefault('ignore', None)
    return GuidanceBatch(
        **_maps(given), masks=MaskBatch(**masks), model=ModelView(**model)
    )


def changed(batch: GuidanceBatch, **given) -> GuidanceBatch:
    """The batch with other fields."""
    masks, model = _split(given, MaskBatch), _split(given, ModelView)
    return replace(
        batch,
        **_maps(given),
        masks=replace(batch.masks, **masks),
        model=replace(batch.model, **model),
    )


def _split(given: dict, owner: type) -> dict:
    return {f.name: given.pop(f.name) for f in fields(owner) if f.name in given}


def _maps(given: dict) -> dict:
    if isinstance(given.get('maps'), Tensor):
        given['maps'] = (given['maps'],)
    return given


def focus_of(model, data: dict) -> list[dict | None]:
    """What FocusMetric measures of each image of a batch as a loader gives it."""
    from cfcn_plugin.mm.evaluation import FocusMetric
    from cfcn_plugin.mm.evaluation.model_aware_metric import EvalBatch

    packed = model.eval().data_preprocessor(data)
    samples, step = model.predict_with_maps(**packed)
    return FocusMetric().evaluate_batch(
        model,
        EvalBatch(
            data['inputs'], packed['inputs'], packed['masks'], samples, None, step
        ),
    )
