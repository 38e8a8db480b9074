"""An index of the test's own on the stack; a server that answers what the test says."""

import pytest
from indices import own_settings, remove
from scripted_http import scripted_servers

from triage.elastic.client import connect


@pytest.fixture
def settings(stack, prefix):
    settings = own_settings(stack.elasticsearch_url, prefix)
    yield settings
    remove(settings)


@pytest.fixture
def client(settings):
    with connect(settings) as client:
        yield client


@pytest.fixture
def serve():
    """`serve(answer)` starts a scripted server for the test."""
    with scripted_servers() as start:
        yield start
