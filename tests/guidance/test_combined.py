"""Several methods in one training are the sum of what each would give."""

import pytest
import torch

from cfcn_plugin.guidance import CausalFocusLoss, Combined, RightReasonsLoss

FOCUS, SHARE = CausalFocusLoss(), CausalFocusLoss(average='micro', loss_weight=2.0)
RRR = RightReasonsLoss()


def test_terms_are_those_of_each_method(net, some_inputs, see):
    seen = see(net, some_inputs().requires_grad_())
    found = Combined([FOCUS, RRR])(seen)
    expected = {**CausalFocusLoss()(seen), **RightReasonsLoss()(seen)}
    assert set(found) == set(expected)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value)


def test_a_key_of_several_gets_a_number_and_stays_what_it_is(net, some_inputs, see):
    seen = see(net, some_inputs())
    found = Combined([FOCUS, SHARE])(seen)
    names = ('loss_focus', 'focus', 'focus_best', 'focus_uniform', 'active_maps')
    assert set(found) == {*names, *(f'{name}_1' for name in names)}
    torch.testing.assert_close(
        found['loss_focus_1'],
        CausalFocusLoss(average='micro', loss_weight=2.0)(seen)['loss_focus'],
    )
    assert not found['focus_1'].requires_grad


def test_input_gradients_are_there_if_one_method_needs_them():
    assert Combined([FOCUS, RRR]).needs_input_grad
    assert not Combined([FOCUS, SHARE]).needs_input_grad


def test_a_step_is_differentiated_if_one_method_does():
    assert Combined([FOCUS, RRR]).differentiates
    assert not Combined([FOCUS, SHARE]).differentiates


def test_built_methods_are_taken_as_they_are():
    method = CausalFocusLoss()
    assert Combined([method]).methods[0] is method


def test_an_empty_list_is_an_error():
    with pytest.raises(ValueError, match='`guidance` is an empty list'):
        Combined([])
