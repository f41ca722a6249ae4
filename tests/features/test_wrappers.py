"""A known model is found inside of what wraps it."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from cfcn_plugin.features import FeatureHook, last_stage_activation, locate


class Holder(nn.Module):
    """A module of the user's own, with a head and a layer of its own before it."""

    def __init__(self, net):
        super().__init__()
        self.normalize = nn.Identity()
        self.net = net
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.net(self.normalize(x)))


def compiled(net):
    return torch.compile(net, backend='aot_eager')


@pytest.fixture
def distributed(tmp_path):
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{tmp_path / "store"}', rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


def resnet():
    torch.manual_seed(0)
    return torchvision.models.resnet18(num_classes=3).eval()


def images():
    return torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    'wrap',
    [
        DataParallel,
        DistributedDataParallel,
        AveragedModel,
        Holder,
        nn.Sequential,
        pytest.param(lambda net: compiled(Holder(DataParallel(net))), id='compiled'),
    ],
)
def test_map_is_that_of_the_model_inside(wrap, distributed):
    net, inputs = resnet(), images()
    expected = last_stage_activation(net, inputs)
    wrapped = wrap(net).eval()

    found = last_stage_activation(wrapped, inputs)

    torch.testing.assert_close(found, expected)
    found.sum().backward()
    assert any(p.grad is not None and p.grad.any() for p in wrapped.parameters())


def test_compiled_model_that_has_run_is_an_error_whose_remedy_works():
    net = compiled(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()))
    net(images())
    with FeatureHook('_orig_mod.0').attach(net) as hook:
        net(images())
        with pytest.raises(RuntimeError, match=r'call torch\.compiler\.reset\(\)'):
            hook.take(images())
        torch.compiler.reset()
        scores = net(images())
        torch.testing.assert_close(hook.take(images()).relu(), scores)


def test_model_of_a_subclass_made_on_the_fly_is_known():
    net = resnet()
    net.__class__ = type('FSDPResNet', (type(net),), {'__module__': 'torch.fsdp'})
    assert locate(net).module == 'avgpool'


def test_model_with_adapters_of_peft_is_known():
    peft = pytest.importorskip('peft')
    pytest.importorskip('transformers')
    from small_transformers import small

    net, inputs = small('ViT'), torch.randn(2, 3, 64, 64)
    expected = last_stage_activation(net, inputs)
    adapted = peft.get_peft_model(
        net,
        peft.LoraConfig(
            target_modules=['q_proj', 'v_proj', 'query', 'value'],
            modules_to_save=['classifier'],
        ),
    )

    found = last_stage_activation(adapted, inputs)

    torch.testing.assert_close(found, expected)
    found.sum().backward()
    assert [n for n, p in adapted.named_parameters() if p.grad is not None]


def test_data_parallel_over_several_gpus_is_refused():
    net = DataParallel(resnet())
    net.device_ids = [0, 1]
    with pytest.raises(ValueError, match='DistributedDataParallel'):
        FeatureHook().attach(net)
