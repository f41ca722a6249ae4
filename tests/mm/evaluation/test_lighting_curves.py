"""A network with a threshold, in the dark and in the light."""

import pytest
import torch
from mmpretrain.registry import METRICS
from mmpretrain.structures import DataSample
from torch import nn

from cfcn_plugin.mm.evaluation import BrightnessCurve, ContrastCurve
from cfcn_plugin.mm.evaluation.model_aware_metric import EvalBatch
from cfcn_plugin.mm.models import GuidedDataPreprocessor

IMAGES = (
    torch.tensor([40, 90, 120, 200], dtype=torch.uint8)
    .view(4, 1, 1, 1)
    .repeat(1, 3, 2, 2)
)


class Threshold(nn.Module):
    """Says 1 where the first pixel is brighter than 100."""

    def __init__(self):
        super().__init__()
        self.data_preprocessor = GuidedDataPreprocessor(
            mean=[10.0] * 3, std=[20.0] * 3, to_rgb=True
        )
        self.asked = []

    def forward(self, inputs, data_samples=None, mode='predict', masks=None):
        self.asked.append(inputs)
        return [
            DataSample().set_pred_label(int(20 * x[0, 0, 0] + 10 > 100)) for x in inputs
        ]


def shown(labels, images=IMAGES):
    samples = [DataSample().set_gt_label(label) for label in labels]
    return EvalBatch(images, None, None, samples, None)


def result_of(metric, labels=(0, 0, 1, 1), images=IMAGES):
    return metric.compute_metrics(
        metric.evaluate_batch(Threshold(), shown(labels, images))
    )


def test_brightness_by_hand():
    # times 0.75: 30, 68, 90, 150; times 2: 80, 180, 240, 255
    assert result_of(BrightnessCurve(factors=[0.75, 1, 2])) == {
        '0.75': 75,
        '1': 100,
        '2': 75,
        'mean': 250 / 3,
        'worst': 75,
    }


def test_contrast_by_hand():
    image = torch.tensor([[0, 100], [200, 100]], dtype=torch.uint8)
    metric = ContrastCurve()
    for factor, expected in (
        (0.5, [[50, 100], [150, 100]]),
        (1.0, image.tolist()),
        (1.2, [[0, 100], [220, 100]]),
        (2.0, [[0, 100], [255, 100]]),
    ):
        changed = metric._changed(image.expand(3, 2, 2), factor)
        assert changed.dtype == torch.uint8
        assert changed[1].tolist() == expected


def test_plain_images_have_no_contrast_to_change():
    curve = result_of(ContrastCurve(factors=[0.1, 1, 9]))
    assert set(curve.values()) == {100}


def test_factor_1_shows_the_images_as_they_are():
    model = Threshold()
    BrightnessCurve(factors=[1]).evaluate_batch(model, shown([0] * 4))
    torch.testing.assert_close(model.asked[0], (IMAGES.float() - 10) / 20)


def test_any_cut_into_batches_and_ranks_gives_the_same():
    metric, labels = BrightnessCurve(), (0, 1, 1, 0)
    rows = []
    for label, image in zip(labels, IMAGES):
        rows += metric.evaluate_batch(Threshold(), shown([label], [image]))
    assert metric.compute_metrics(rows) == result_of(metric, labels)


@pytest.mark.parametrize(
    'name,prefix', [('BrightnessCurve', 'brightness'), ('ContrastCurve', 'contrast')]
)
def test_keys_in_the_log(name, prefix):
    metric = METRICS.build(dict(type=name, factors=[0.5, 1.25]))
    metric.observe(Threshold(), shown([0] * 4))
    metric.process({}, [{}] * 4)
    assert list(metric.evaluate(4)) == [
        f'{prefix}/{key}' for key in ('0.5', '1.25', 'mean', 'worst')
    ]


@pytest.mark.parametrize('factors', [[], [0], [1, -1], [1, 1.0]])
def test_wrong_factors_are_an_error(factors):
    with pytest.raises(ValueError, match='`factors` must be different numbers above 0'):
        BrightnessCurve(factors=factors)


def test_images_that_are_normalised_already_are_refused():
    with pytest.raises(TypeError, match='torch.float32: let the data preprocessor'):
        result_of(BrightnessCurve(), images=IMAGES.float())
