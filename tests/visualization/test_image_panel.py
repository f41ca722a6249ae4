"""An image under other conditions."""

import numpy as np
import torch

from cfcn_plugin.visualization.image_panel import ImagePanel, vary_conditions


def test_object_stays_on_other_backgrounds_and_light_changes_all():
    mask = np.zeros((32, 32), np.uint8)
    mask[8:24, 8:24] = 1
    grey = torch.ones(3, 32, 32, dtype=torch.uint8)
    one, other = (
        ImagePanel(value * grey, mask, frozenset(), name)
        for value, name in ((100, 'one'), (200, 'other'))
    )
    varied = vary_conditions(one, [other])
    made = {panel.name: panel for panel in varied}
    assert list(made) == [
        'as it is',
        'brightness × 0.5',
        'brightness × 1.5',
        'background of other',
        'object removed',
    ]
    assert (made['brightness × 0.5'].pixels == 50).all()
    assert (made['brightness × 1.5'].pixels == 150).all()
    swapped = made['background of other'].pixels
    assert (swapped[16, 16] == 100).all() and (swapped[0, 0] == 200).all()
    assert made['object removed'].mask is None
    assert all(one.image.dtype == torch.uint8 for one in made.values())
