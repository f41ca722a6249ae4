import pytest
import timm
import torch
from torch import nn

from cfcn_plugin.fine_tuning import FineTuning


def small() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.Conv2d(4, 4, 3),
        nn.BatchNorm2d(4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    )


def trained(model: nn.Module) -> list[str]:
    return [name for name, one in model.named_parameters() if one.requires_grad]


def test_the_first_layers_are_frozen():
    model = small()
    FineTuning(model, frozen=0.5)  # two of four
    assert trained(model) == [
        '2.weight',
        '2.bias',
        '3.weight',
        '3.bias',
        '6.weight',
        '6.bias',
    ]


def test_the_head_is_trained_even_where_all_layers_are_frozen():
    model = small()
    FineTuning(model, frozen=1)
    assert trained(model) == ['6.weight', '6.bias']


def test_nothing_is_frozen_by_zero():
    model = small()
    FineTuning(model, frozen=0)
    assert len(trained(model)) == 10


def test_stem_and_the_first_of_16_blocks_of_efficientnet_are_frozen_by_the_default():
    model = timm.create_model('tf_efficientnet_lite0')
    FineTuning(model)
    assert trained(model)[0].startswith('blocks.5.0.')


def test_statistics_stay_in_training_while_dropout_is_active():
    model = nn.Sequential(*small(), nn.Dropout())
    tuning = FineTuning(model, frozen=0)
    tuning.train()
    assert model[7].training
    before = model[1].running_mean.clone()
    model(torch.randn(2, 3, 8, 8))
    assert torch.equal(model[1].running_mean, before)
    assert model[1].num_batches_tracked == 0


def test_statistics_follow_the_batch_without_norm_eval():
    model = small()
    FineTuning(model, norm_eval=False).train()
    model(torch.randn(2, 3, 8, 8))
    assert model[1].num_batches_tracked == 1


def test_the_head_begins_at_zero_and_the_body_gets_no_gradient_in_the_first_step():
    model = small()
    FineTuning(model, frozen=0)
    logits = model(torch.randn(2, 3, 8, 8))
    assert torch.equal(logits, torch.zeros(2, 2))
    nn.functional.cross_entropy(logits, torch.tensor([0, 1])).backward()
    assert model[0].weight.grad.abs().sum() == 0
    assert model[6].weight.grad.abs().sum() > 0


def test_the_head_keeps_its_start_without_zero_head():
    model = small()
    before = model[6].weight.clone()
    FineTuning(model, zero_head=False)
    assert torch.equal(model[6].weight, before)


def test_the_body_learns_at_a_tenth_of_the_rate_and_frozen_parameters_have_no_group():
    model = small()
    head, body = FineTuning(model, frozen=0.5).parameter_groups(lr=0.5)
    assert (head['lr'], body['lr']) == (0.5, 0.05)
    assert head['params'] == [model[6].weight, model[6].bias]
    assert body['params'] == [*model[2].parameters(), *model[3].parameters()]


def test_a_timm_models_own_classifier_is_the_head():
    model = timm.create_model('resnet18', num_classes=3)
    assert FineTuning(model).head is model.fc


def test_two_heads_of_a_distilled_model_are_refused_with_a_remedy_that_works():
    model = timm.create_model(
        'deit_tiny_distilled_patch16_224', depth=1, img_size=32, num_classes=2
    )
    with pytest.raises(ValueError, match='of several heads .* write zero_head=False'):
        FineTuning(model)
    head, _ = FineTuning(model, zero_head=False).parameter_groups(lr=1)
    assert head['params'] == [*model.head.parameters(), *model.head_dist.parameters()]


def test_the_linear_layer_of_timms_own_class_is_a_head():
    model = timm.create_model('mobilenetv3_small_050', num_classes=2)
    assert type(model.classifier) is not nn.Linear
    assert FineTuning(model).head is model.classifier


class HeadFirst(nn.Module):
    """Defines the new head before the pretrained network."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 2)
        self.net = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))


def test_a_head_that_is_not_defined_last_must_be_named_and_is_never_frozen():
    model = HeadFirst()
    with pytest.raises(ValueError, match=r'HeadFirst.*head=model\.NAME'):
        FineTuning(model)
    assert model.net[0].weight.any()
    tuning = FineTuning(model, frozen=1, head=model.head)
    assert trained(model) == ['head.weight', 'head.bias']
    assert tuning.parameter_groups(lr=1)[0]['params'] == list(model.head.parameters())


def test_a_head_that_is_no_linear_layer_is_trained_at_the_full_rate():
    model = small()[:4].append(nn.Conv2d(4, 2, 1))
    with pytest.raises(ValueError, match='write zero_head=False'):
        FineTuning(model)
    unknown = FineTuning(model, zero_head=False, frozen=1)
    assert trained(model) == ['4.weight', '4.bias']
    with pytest.raises(ValueError, match=r'name the part .* head=model\.NAME'):
        unknown.parameter_groups(lr=1)
    named = FineTuning(model, zero_head=False, head=model[4])
    assert named.parameter_groups(lr=1)[0]['params'] == list(model[4].parameters())


def test_a_compiled_model_is_frozen_as_the_model_inside():
    plain, inside = (timm.create_model('test_resnet', num_classes=2) for _ in range(2))
    FineTuning(plain)
    FineTuning(torch.compile(inside))
    assert 0 < len(trained(inside)) < len(list(inside.parameters()))
    assert trained(inside) == trained(plain)


def test_the_state_dict_is_the_models():
    model, plain = small(), small()
    FineTuning(model)
    plain.load_state_dict(model.state_dict())


@pytest.mark.parametrize(
    'options',
    [dict(frozen=1.1), dict(frozen=-0.1), dict(frozen='half'), dict(frozen=True)],
)
def test_a_fraction_out_of_its_range_is_refused(options):
    with pytest.raises(ValueError, match=r'`frozen` must be in \[0, 1\]'):
        FineTuning(small(), **options)
