"""Each file of tests finds our classes in the registries, also when it runs alone."""

import pytest

import cfcn_plugin.mm  # noqa: F401
from cfcn_plugin.mm.safe_loading import SWITCH, enable_safe_loading


@pytest.fixture
def safe_loading(monkeypatch):
    """Safe loading for one test, also where the environment says the opposite."""
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    monkeypatch.setenv(SWITCH, '0')
    enable_safe_loading()
