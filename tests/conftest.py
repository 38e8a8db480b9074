"""Fixtures for every test: the stack (local by default, real by TRIAGE_TEST_*), clean settings, a manual clock."""

import logging
import os
import uuid
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from triage.clock import ManualClock
from triage.local.stack import Endpoints, LocalStack

# The same examples in every run: a change fails for what it changed. `--hypothesis-profile=explore` looks further.
settings.register_profile("repeat", derandomize=True, database=None, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=500, print_blob=True)
settings.load_profile("repeat")


@pytest.fixture(autouse=True)
def _clean_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own TRIAGE_* variables from the tests."""
    for name in list(os.environ):
        if name.startswith("TRIAGE_") and not name.startswith("TRIAGE_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Undo the logging configuration of commands that run in this process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    for name in ("triage", "kafka"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


@pytest.fixture
def clock() -> ManualClock:
    """A manual clock at 2026-11-22T09:30:00Z."""
    return ManualClock(1_795_339_800_000)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """Endpoints of a Kafka and an Elasticsearch, shared by the session; use the fixture `prefix` for names."""
    kafka, elasticsearch = os.environ.get("TRIAGE_TEST_KAFKA"), os.environ.get("TRIAGE_TEST_ELASTICSEARCH")
    if kafka and elasticsearch:
        yield Endpoints(kafka, elasticsearch)
        return
    with LocalStack(tmp_path_factory.mktemp("stack")) as endpoints:
        yield endpoints


@pytest.fixture
def prefix() -> str:
    """A unique prefix of topics and indices."""
    return f"t{uuid.uuid4().hex[:10]}"
