"""The values of a metric of torchmetrics, where mmengine has joined the processes."""


def computed(metric) -> dict[str, float]:
    """What a metric of :mod:`cfcn_plugin.metrics` says, as floats.

    mmengine hands the results of all processes to the first one, which computes alone:
    torchmetrics must not wait for the others. Floats, since mmengine's log file has
    None for other numbers.
    """
    metric.sync_on_compute = False
    return {name: float(value) for name, value in metric.compute().items()}
