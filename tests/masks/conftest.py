"""Each annotation format, for the tests of all sources."""

import pytest
from mask_formats import FORMATS

import cfcn_plugin.mm  # noqa: F401  (registers the sources)


@pytest.fixture(scope='session')
def formats():
    return FORMATS


@pytest.fixture(params=FORMATS)
def any_format(request):
    """Each format in turn."""
    return FORMATS[request.param]
