"""What a worker waits for at its start."""

from datetime import date

import pytest
import structlog

from triage.clock import ManualClock
from triage.config import load_settings
from triage.errors import ConfigError, Unavailable
from triage.pipeline import assemble
from triage.redaction.author_keys import DEMO_CHECK, check_value


@pytest.fixture
def turned_away(monkeypatch):
    """How often the cluster, which says that it is well, answers 503 to what comes next."""
    left = {"times": 0}

    def read(*_):
        if left["times"]:
            left["times"] -= 1
            raise Unavailable("elasticsearch", "503 no master")
        return date(2026, 1, 1)

    monkeypatch.setattr(assemble, "read_daily_from", read)
    return left


def test_a_cluster_that_turns_a_request_away_is_waited_for(turned_away):
    turned_away["times"] = 3
    settings = load_settings(None, {"elasticsearch.start_timeout_s": 10}).elasticsearch
    assert assemble.index_naming(None, settings, ManualClock()) is not None


def test_but_not_for_ever(turned_away):
    turned_away["times"] = 1_000
    settings = load_settings(None, {"elasticsearch.start_timeout_s": 10}).elasticsearch
    with pytest.raises(Unavailable, match="no master"):
        assemble.index_naming(None, settings, ManualClock())


@pytest.mark.parametrize(
    ("recorded", "warned"), [({"1": check_value("a-secret-of-our-own")}, 0), ({"1": DEMO_CHECK}, 1), ({}, 1)]
)
def test_a_worker_says_that_its_author_key_is_not_recorded(recorded, warned):
    settings = load_settings(None, {"redaction.author_key": "a-secret-of-our-own"})
    with structlog.testing.capture_logs() as logs:
        assemble.check_recorded_key(settings, recorded)
        assemble.check_recorded_key(load_settings(None), {})
    assert [entry["event"] for entry in logs] == ["author_key_not_recorded"] * warned


def test_a_worker_refuses_another_author_key_than_the_recorded_one():
    with pytest.raises(ConfigError, match="is the demo key, and not the key that made the author hashes of version 1"):
        assemble.check_recorded_key(load_settings(None), {"1": check_value("a-secret-of-our-own")})
