"""All checks of an examination run, whatever one of them finds."""

import pytest

from triage.clock import ManualClock
from triage.config import load_settings
from triage.doctor import Finding, examination, examine
from triage.errors import Unavailable


@pytest.fixture
def checks(monkeypatch):
    """Each check replaced by one that finds nothing; a test puts in what it wants."""
    for name in ("model", "kafka", "elasticsearch", "processes", "console", "receivers"):
        monkeypatch.setattr(examination, f"examine_{name}", lambda *_: iter(()))
    monkeypatch.setattr(examination, "_files", lambda _: iter(()))
    return lambda name, check: monkeypatch.setattr(examination, f"examine_{name}", check)


def _found(**settings):
    return list(examine(load_settings(None, settings), 1.5, ManualClock()))


def _raises(error):
    def check(*_):
        raise error
        yield

    return check


def test_a_check_that_fails_does_not_hide_the_next(checks):
    checks("kafka", _raises(Unavailable("kafka", "no broker answered")))
    checks("elasticsearch", _raises(ValueError("odd")))
    checks("console", lambda *_: iter([Finding(subject="console", state="ok", text="answers")]))
    found = _found()
    assert [(each.subject, each.state) for each in found] == [
        ("Kafka", "failed"), ("Elasticsearch", "failed"), ("console", "ok"),
    ]  # fmt: skip
    assert found[0].text == "no broker answered"
    assert found[1].text == "the check itself failed: ValueError: odd"


def test_each_server_has_the_time_of_the_option_at_most(checks):
    given = []
    checks("kafka", lambda settings: given.append(settings.kafka.start_timeout_s) or iter(()))
    checks("elasticsearch", lambda settings, _: given.append(settings.elasticsearch.start_timeout_s) or iter(()))
    _found(**{"elasticsearch.start_timeout_s": 0.5})
    assert given == [1.5, 0.5]
