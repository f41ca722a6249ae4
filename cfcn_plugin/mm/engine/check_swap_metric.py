"""Whether a data set has the masks that BackgroundSwapMetric needs."""

from cfcn_plugin.mm.datasets.guided_sampler import guided_images
from cfcn_plugin.mm.datasets.wrappers import pipeline_datasets
from cfcn_plugin.mm.evaluation import BackgroundSwapMetric
from cfcn_plugin.mm.evaluation.correctness import labels_of
from cfcn_plugin.mm.evaluation.swap_conditions import check_possible
from cfcn_plugin.mm.transforms import LoadActivationMask


def check_swap_metric(metric: BackgroundSwapMetric, dataset) -> None:
    """Check that images can have the conditions asked for; no mask is decoded.

    Data sets with several pipelines are not checked.

    Raises:
        ValueError: The pipeline loads no masks, or see :func:`.check_possible`.
    """
    parts = list(pipeline_datasets(dataset))
    if not metric.required or len(parts) != 1:
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
    check_possible(labels, metric.required)
