"""What a worker waits for at its start."""

from datetime import date

import pytest

from triage.clock import ManualClock
from triage.config import load_settings
from triage.errors import Unavailable
from triage.pipeline import assemble


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
