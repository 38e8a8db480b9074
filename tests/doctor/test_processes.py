"""What the fleet needs is a failure or a warning."""

import pytest

from triage.config import Settings
from triage.doctor import processes
from triage.fleet import FleetView, Need
from triage.fleet.wording import sentence
from triage.translations import translations_for


class Monitor:
    def __init__(self, settings):
        needs = [
            Need("no_worker", "critical"),
            Need("rules_learn", "medium", {"listed": "delivery"}),
            Need("no_console", "medium", {"address": "http://c", "why": "away"}),
        ]
        said = [sentence(need, translations_for("en")) for need in needs]
        self._view = FleetView(at="", interval_s=0, needs=needs, problems=said)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def look(self):
        return self._view


@pytest.fixture
def found(monkeypatch):
    monkeypatch.setattr(processes, "FleetMonitor", Monitor)
    return list(processes.examine_processes(Settings()))


def test_rules_that_learn_are_a_warning_and_the_console_is_left_to_its_own_check(found):
    assert [(each.state, each.text.partition(":")[0]) for each in found] == [
        ("failed", "No worker is in the group"),
        ("warning", "Alert rules that cannot fire yet, as all of their keys are learning"),
    ]
