"""Fixtures: indices that only one test uses, and a scripted HTTP server."""

from collections.abc import Callable, Iterator

import pytest
from elasticsearch import Elasticsearch
from indices import own_settings, remove
from scripted_http import Answer, ScriptedServer, scripted_servers

from triage.config import ElasticsearchSettings
from triage.elastic.client import connect
from triage.local.stack import Endpoints


@pytest.fixture
def settings(stack: Endpoints, prefix: str) -> Iterator[ElasticsearchSettings]:
    settings = own_settings(stack.elasticsearch_url, prefix)
    yield settings
    remove(settings)


@pytest.fixture
def client(settings: ElasticsearchSettings) -> Iterator[Elasticsearch]:
    with connect(settings) as client:
        yield client


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], ScriptedServer]]:
    """`serve(answer)` starts a scripted server for the test."""
    with scripted_servers() as start:
        yield start
