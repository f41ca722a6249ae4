"""Repair of real models of torchvision and timm, and of wrapped and low-precision ones.

transformers is not needed: its classifiers return an object or a dict with ``logits``.
"""

from types import SimpleNamespace

import pytest
import timm
import torch
import torchvision
from torch import nn

from cfcn_plugin.repair import find_linear_head, repair

SIZE = 32


def batch(dtype=torch.float32):
    """The object tells the class by its brightness."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(20) % 2
    images = 0.3 * torch.rand(20, 3, SIZE, SIZE, generator=generator)
    masks = torch.zeros(20, SIZE, SIZE, dtype=torch.uint8)
    masks[:, 8:24, 8:24] = 1
    images[:, :2] += 2 * (labels.view(-1, 1, 1) * masks)[:, None]
    return images.to(dtype), labels, masks


def seeded(build, **options):
    torch.manual_seed(0)
    return build(num_classes=2, **options)


def tiny_vit(num_classes):
    return torchvision.models.VisionTransformer(
        SIZE, 8, 1, 2, 16, 32, num_classes=num_classes
    )


def timm_model(name, **options):
    return seeded(timm.create_model, model_name=name, **options)


HOSTS = {
    'resnet18': (lambda: seeded(torchvision.models.resnet18), 'fc'),
    'vit': (lambda: seeded(tiny_vit), 'heads.head'),
    'mobilenet': (
        lambda: seeded(torchvision.models.mobilenet_v3_small),
        'classifier.3',
    ),
    'convnext': (lambda: seeded(torchvision.models.convnext_tiny), 'classifier.2'),
    'timm resnet': (lambda: timm_model('test_resnet'), 'fc'),
    'timm convnext': (lambda: timm_model('test_convnext'), 'head.fc'),
    'timm efficientnet': (lambda: timm_model('test_efficientnet'), 'classifier'),
    'timm vit': (lambda: timm_model('test_vit', img_size=SIZE), 'head'),
}


@pytest.mark.parametrize('name', HOSTS)
def test_only_the_head_of_a_real_model_changes(name):
    build, head = HOSTS[name]
    model = build()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    report = repair(model, [batch()], views=2)
    after = model.state_dict()
    assert list(before) == list(after)
    assert {key for key in before if not torch.equal(before[key], after[key])} == {
        f'{head}.weight',
        f'{head}.bias',
    }
    assert report.swapped_after > 0.8


class Answer(nn.Module):
    """A host whose output has the logits in it."""

    def __init__(self, kind, classes=2):
        super().__init__()
        self.kind = kind
        self.classifier = nn.Linear(3, classes)

    def forward(self, pixel_values):
        logits = self.classifier(pixel_values.mean((2, 3)))
        return self.kind(loss=None, logits=logits)


@pytest.mark.parametrize('kind', [SimpleNamespace, dict])
def test_logits_inside_of_an_output_are_repaired(kind):
    assert repair(Answer(kind), [batch()]).plain_after == 1


def test_several_labels_inside_of_an_output_are_repaired():
    images, labels, masks = batch()
    targets = torch.stack([labels, 1 - labels, labels], 1)
    assert repair(Answer(dict, 3), [(images, targets, masks)]).plain_after == (
        pytest.approx(1)
    )


def head_of(model):
    return next(one for one in model.modules() if isinstance(one, nn.Linear)).weight


@pytest.mark.parametrize(
    'wrap', [nn.Sequential, lambda model: torch.compile(model, backend='eager')]
)
def test_a_model_inside_of_another_is_repaired_as_alone(wrap):
    alone, inside = HOSTS['resnet18'][0](), HOSTS['resnet18'][0]()
    report = repair(alone, [batch()])
    assert repair(wrap(inside), [batch()]) == report
    assert torch.equal(alone.fc.weight, inside.fc.weight)


def test_a_model_compiled_in_place_is_repaired_without_compiled_code():
    def backend(graph, inputs):
        raise AssertionError('compiled')

    model = HOSTS['resnet18'][0]()
    model.compile(backend=backend)
    assert repair(model, [batch()]).plain_after > 0.9


def test_a_model_for_several_devices_is_refused_by_the_name_of_the_part_to_give():
    model = nn.Sequential(nn.DataParallel(Answer(dict)))
    with pytest.raises(TypeError, match=r'in DataParallel.*give `model\.0\.module`'):
        repair(model, [batch()])


@pytest.mark.parametrize('name', ['resnet18', 'timm vit'])
def test_a_model_in_bfloat16_gets_a_head_in_bfloat16(name):
    model = HOSTS[name][0]().bfloat16()
    assert repair(model, [batch(torch.bfloat16)]).plain_after > 0.9
    assert head_of(model).dtype == torch.bfloat16


class Dtypes(Answer):
    """Keeps the dtype of its logits."""

    def forward(self, pixel_values):
        output = super().forward(pixel_values)
        self.seen = output['logits'].dtype
        return output


@pytest.mark.parametrize('enabled', [False, True])
def test_the_network_runs_in_the_autocast_of_the_caller(enabled):
    model, plain = Dtypes(dict), Dtypes(dict)
    plain.load_state_dict(model.state_dict())
    with torch.autocast('cpu', torch.bfloat16, enabled=enabled):
        report = repair(model, [batch()])
    assert model.seen == (torch.bfloat16 if enabled else torch.float32)
    repair(plain, [batch()])
    # features are rounded before the linear layer or not at all, and the fit is exact
    torch.testing.assert_close(
        model.classifier.weight, plain.classifier.weight, atol=1e-3, rtol=1e-3
    )
    assert report.plain_after == 1


def test_inference_mode_of_the_caller_is_no_obstacle():
    model = HOSTS['resnet18'][0]()
    with torch.inference_mode():
        given = batch()
        assert given[0].is_inference()
        assert repair(model, [given]).plain_after > 0.9


# ---- refused -----------------------------------------------------------------


@pytest.mark.parametrize('name', ['deit_tiny_distilled_patch16_224'])
def test_two_heads_are_refused_by_name(name):
    model = timm_model(name, img_size=SIZE)
    with pytest.raises(ValueError, match=r"Distilled.*'head' \(Linear\), 'head_dist'"):
        repair(model, [batch()])


def test_a_softmax_at_the_end_is_refused_by_name():
    model = nn.Sequential(HOSTS['resnet18'][0](), nn.Softmax(1))
    with pytest.raises(ValueError, match=r"'1' \(Softmax\).*train by guidance instead"):
        repair(model, [batch()])


class Cosine(nn.Linear):
    def forward(self, inputs):
        return nn.functional.linear(
            nn.functional.normalize(inputs), nn.functional.normalize(self.weight)
        )


def test_a_layer_that_is_linear_by_name_alone_is_refused():
    model = HOSTS['resnet18'][0]()
    model.fc = Cosine(512, 2)
    with pytest.raises(ValueError, match='no nn.Linear of ResNet gives its logits'):
        repair(model, [batch()])


def test_a_computed_weight_is_refused_with_the_remedy():
    model = HOSTS['resnet18'][0]()
    nn.utils.parametrizations.weight_norm(model.fc)
    with pytest.raises(ValueError, match="'fc' is computed.*remove the parametriz"):
        repair(model, [batch()])
    nn.utils.parametrize.remove_parametrizations(model.fc, 'weight')
    assert repair(model, [batch()]).plain_after > 0.9


@pytest.mark.parametrize('key', ['weight', 'bias'])
@pytest.mark.parametrize('share', [lambda one: one, lambda one: nn.Parameter(one.data)])
def test_a_shared_weight_or_bias_is_refused(key, share):
    model = Answer(dict)
    model.other = nn.Linear(3, 2)
    setattr(model.other, key, share(getattr(model.classifier, key)))
    message = f"'classifier' shares its {key} with 'other'"
    with pytest.raises(ValueError, match=message):
        find_linear_head(model, batch()[0][:2])


def test_a_computed_bias_is_refused():
    model = Answer(dict)
    nn.utils.parametrize.register_parametrization(
        model.classifier, 'bias', nn.Identity()
    )
    with pytest.raises(ValueError, match="the bias of 'classifier' is computed"):
        repair(model, [batch()])


def test_damaged_weights_are_told():
    model = HOSTS['resnet18'][0]()
    with torch.no_grad():
        model.conv1.weight[0] = float('nan')
    with pytest.raises(ValueError, match='logits of the first images are not finite'):
        repair(model, [batch()])


@pytest.mark.parametrize(
    'given,message',
    [
        (dict(images=1), 'three tensors .images, targets, masks., got dict'),
        (batch()[:2], r"got \['Tensor', 'Tensor'\]"),
        ((batch()[0].byte(), *batch()[1:]), 'floating-point images .B, C, H, W.'),
        (
            (batch()[0], batch()[1].float(), batch()[2]),
            'class numbers, got torch.float32',
        ),
        ((batch()[0], torch.full((20, 2), 0.5), batch()[2]), 'must be 0 or 1'),
    ],
)
def test_batches_of_another_form_are_told(given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        repair(HOSTS['resnet18'][0](), [given])
