"""Values of metrics of torchmetrics, where mmengine has joined the processes."""

# Options of such a metric: mmengine hands the results of all processes to the first
# one, which computes alone. torchmetrics must not wait for the others.
ALONE = dict(sync_on_compute=False)


def computed(metric) -> dict[str, float]:
    """What a metric of :mod:`cfcn_plugin.metrics` says.

    Floats, since mmengine's log file has None for other numbers.
    """
    return {name: float(value) for name, value in metric.compute().items()}
