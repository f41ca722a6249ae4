"""The mean focus of a data set."""
from mmengine.evaluator import BaseMetric

from cfcn_plugin.stock import GOES


class FocusMetric(BaseMetric):
    """Mean of each focus number over the images that have a mask.

    Adds to the log ``focus/ratio`` (as guidance is configured, 1 - its loss),
    ``focus/energy``, ``focus/energy_by_area``, ``focus/pointing``, ``focus/iou``
    (:func:`cfcn_plugin.functional.localization.focus_scores`), and how many images had a mask
    and had none: ``focus/guided``, ``focus/unguided``. Numbers are shares in [0, 1],
    not percent.

    Args:
        collect_device, prefix: As in every mmengine metric.
    """
    stock = GOES
    default_prefix = 'focus'

    def process(self, data_batch, data_samples) -> None:
        for sample in data_samples:
            # not None, which mmengine loses where it joins what ranks found
            self.results.append(dict(sample.get('focus', {})))

    def compute_metrics(self, results: list) -> dict[str, float]:
        return mean_scores(results)


def mean_scores(results: list[dict]) -> dict[str, float]:
    """Means over the guided images, and how many are guided (not empty) and are not."""
    guided = [r for r in results if r]
    metrics = {
        name: sum(r[name] for r in guided) / len(guided)
        for name in (guided[0] if guided else ())
    }
    # floats, since mmengine's log file has None for other numbers
    return {
        **metrics, 'guided': float(len(guided)),
        'unguided': float(len(results) - len(guided))
    }
