"""Whether a data set has the masks that BackgroundSwapMetric needs."""

from collections.abc import Collection

from cfcn_plugin.mm.datasets.guided_sampler import guided_images
from cfcn_plugin.mm.datasets.wrappers import pipeline_datasets
from cfcn_plugin.mm.evaluation import BackgroundSwapMetric
from cfcn_plugin.mm.evaluation.correctness import labels_of
from cfcn_plugin.mm.evaluation.swap_conditions import check_possible
from cfcn_plugin.mm.transforms import LoadActivationMask


def check_swap_metric(
    metric: BackgroundSwapMetric, dataset, best: Collection[str] = ()
) -> None:
    """Check that images can have the conditions asked for; no mask is decoded.

    Data sets with several pipelines are not checked.

    Args:
        metric: The metric.
        dataset: Of validation.
        best: Names of the metrics by which checkpoints are chosen.

    Raises:
        ValueError: The pipeline loads no masks, the metric lacks a condition that the
            choice needs, or see :func:`.check_possible`.
    """
    required = metric.required
    if f'{metric.prefix}/harmonic_accuracy' in best:
        if required and 'other_class' not in required:
            raise ValueError(
                f"save_best='{metric.prefix}/harmonic_accuracy' needs the condition "
                f"'other_class', and BackgroundSwapMetric has conditions={required}: "
                "add 'other_class'"
            )
        required = required or ('other_class',)
    parts = list(pipeline_datasets(dataset))
    if not required or len(parts) != 1:
        return
    loads = [
        one
        for one in parts[0].pipeline.transforms
        if isinstance(one, LoadActivationMask)
    ]
    guided = guided_images(dataset) if len(loads) == 1 else []
    labels = [
        labels_of(dataset.get_data_info(index)['gt_label'])
        for index, has_mask in enumerate(guided)
        if has_mask
    ]
    check_possible(labels, required)
