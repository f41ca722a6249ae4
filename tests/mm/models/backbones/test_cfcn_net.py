import pytest
import torch
from torch import nn

from cfcn_plugin.mm.models import CFCNNet


def test_layers_are_convolution_norm_relu_dropout():
    layer = CFCNNet([8, 4], dropout=0.3).layers[0]
    assert [type(m) for m in layer] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Dropout]
    assert layer[0].kernel_size == (3, 3) and layer[3].p == 0.3


def test_without_strides_the_map_has_the_image_s_size():
    (out,) = CFCNNet([8, 4])(torch.rand(2, 3, 20, 12))
    assert out.shape == (2, 4, 20, 12)


def test_stride_two_in_every_second_convolution_halves():
    (out,) = CFCNNet([8, 8, 4, 4], strides=[1, 2, 1, 2])(torch.rand(1, 3, 32, 32))
    assert out.shape == (1, 4, 8, 8)


def test_strides_of_another_number_are_refused():
    with pytest.raises(ValueError, match='`strides`.*got 1 for 2 filters'):
        CFCNNet([8, 4], strides=[2])
