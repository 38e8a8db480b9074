"""A fleet is upgraded in mid-stream and rolled back, as docs/deploying.md says: no record is lost, no page twice.

`TRIAGE_TEST_UPGRADE_FROM` names the commit of the earlier version, or is `earlier` for the one below; without it the
test is skipped, because it takes minutes.
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter

import pytest
import yaml
from chaos.auditor import audit
from chaos.feeder import Feeder
from chaos.fleet import SupervisedFleet
from chaos.run import remove
from chaos.stack import open_stack
from checkout import ROOT
from earlier_version import checkout_of
from harness import wait_for

UPGRADE_FROM = os.environ.get("TRIAGE_TEST_UPGRADE_FROM", "")
# The last one before a receiver's answer was stored with an episode: the alerter's state has another version since.
EARLIER = "57dee74c47c897c311692374d163d83dc25d707a"
RATE = 40
# What workers and alerter log when they have joined their group.
STARTED = '"event":"partitions_assigned"'
RULES = {
    "version": 1,
    "rules": [
        {
            "name": "brand-spike",
            "dimension": ["brand"],
            "window_s": 20,
            "static": {"share_at_least": 0.9, "count_at_least": 20},
            "resolve_after": 8,
            "severity": "critical",
        }
    ],
}
CORRECT = """
import json, sys, msgspec
from triage.config import load_settings
from triage.elastic.client import connect
from triage.elastic.corrections import correct
from triage.schemas.correction import Correction
settings = load_settings(None, {})
with connect(settings.elasticsearch) as client:
    correct(client, settings.elasticsearch, msgspec.convert(json.loads(sys.argv[1]), Correction))
"""


def correction(record):
    labels = {"intent": "delivery", "intent_confidence": 0.7, "sentiment": "negative", "sentiment_confidence": 0.9}
    return {
        "record": record, "corrected_at": "2026-11-30T09:00:00Z", "actor": "ann", "text": "It never arrived",
        "language": "en", "channel": "complaint", "recorded_at": "2026-11-30T08:00:00Z", "intent": "billing",
        "judged": {**labels, "model": "m", "taxonomy": "1"}, "changed": True,
    }  # fmt: skip


class Upgrade:
    """A fleet of two workers and an alerter whose processes run the version of a checkout, one by one."""

    def __init__(self, fleet, feeder):
        self.fleet = fleet
        self.feeder = feeder

    def command(self, checkout, *arguments):
        done = subprocess.run(
            [sys.executable, *arguments], env=self.fleet.environment(checkout), cwd=self.fleet.tmp_path,
            capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def apply(self, checkout):
        for what in ("topics", "index"):
            self.command(checkout, "-m", "triage", what, "apply")

    def move(self, role, checkout):
        """End one process with SIGTERM; the supervisor starts the other version of it."""
        old, log = self.fleet.processes[role], self.fleet.tmp_path / f"{role}.log"
        starts = log.read_text().count(STARTED)
        self.fleet.checkouts[role] = checkout
        old.terminate()
        wait_for(lambda: self.fleet.processes[role] is not old, 60, f"a new process of {role}")
        wait_for(lambda: log.read_text().count(STARTED) > starts, 120, f"the start of {role}")
        fed = self.feeder.sent
        wait_for(lambda: self.feeder.sent > fed + 5 * RATE, 60, "records while it runs")

    def spike(self):
        """A spike of a brand, and the key of the alert that pages it."""
        number = len(self.feeder.spikes)
        self.feeder.spike()
        return wait_for(lambda: self.paged(f"Spike-{number}"), 120, f"a page for Spike-{number}")

    def paged(self, brand):
        for page in list(self.fleet.receiver.pages):
            if page["event"] == "firing" and page["alert"]["dimensions"].get("brand") == brand:
                return page["dedup_key"]
        return None

    def resolved(self, key):
        return any(page["event"] == "resolved" and page["dedup_key"] == key for page in self.fleet.receiver.pages)

    def corrections(self, checkout):
        found = self.command(checkout, "-m", "triage", "corrections")
        return sorted(json.loads(line)["record"] for line in found.splitlines())


@pytest.fixture
def upgrade(prefix, tmp_path):
    with open_stack() as stack:
        rules = tmp_path / "rules.yaml"
        rules.write_text(yaml.safe_dump(RULES))
        flags = {"alerting.rules": rules, "alerting.allowed_lateness_s": 5, "elasticsearch.request_timeout_s": 60}
        fleet = SupervisedFleet(stack, prefix, tmp_path, **flags)
        feeder = Feeder(fleet, RATE, 1_000, random.Random(1))
        try:
            yield Upgrade(fleet, feeder)
        finally:
            feeder.finish()
            fleet.close()
            remove(fleet)


@pytest.mark.real
@pytest.mark.skipif(not UPGRADE_FROM, reason="TRIAGE_TEST_UPGRADE_FROM names no earlier version")
def test_a_fleet_is_upgraded_in_mid_stream_and_rolled_back(upgrade, tmp_path):
    earlier = checkout_of(EARLIER if UPGRADE_FROM == "earlier" else UPGRADE_FROM, tmp_path / "earlier")
    fleet, roles = upgrade.fleet, ("a", "b", "alerter")
    fleet.checkouts = dict.fromkeys(roles, earlier)
    upgrade.apply(earlier)
    fleet.launch(("a", "b"))
    wait_for(lambda: "alerter_started" in fleet.logs("alerter.log"), 120, "the alerter to start")
    upgrade.feeder.start()
    upgrade.command(earlier, "-c", CORRECT, json.dumps(correction("made-before")))

    upgrade.apply(ROOT)
    pages = [upgrade.spike()]
    upgrade.move("a", ROOT)
    # One worker of each version, and the alerter of the earlier one.
    pages.append(upgrade.spike())
    upgrade.move("b", ROOT)
    upgrade.move("alerter", ROOT)
    # Alerts that the earlier version paged are resolved by this one.
    wait_for(lambda: all(map(upgrade.resolved, pages)), 300, "resolves")
    upgrade.command(ROOT, "-c", CORRECT, json.dumps(correction("made-after")))
    assert upgrade.corrections(ROOT) == ["made-after", "made-before"]

    pages.append(upgrade.spike())
    for role in roles:
        upgrade.move(role, earlier)
    # And the other way round.
    wait_for(lambda: upgrade.resolved(pages[-1]), 300, "a resolve by the earlier version")
    pages.append(upgrade.spike())
    assert upgrade.corrections(earlier) == ["made-after", "made-before"]

    upgrade.feeder.finish()
    fleet.wait_drained(120)
    verdict = audit(fleet)
    assert [finding for finding in verdict.findings if not finding.clean] == []
    assert verdict.lag == 0
    assert Counter(key for key, event in fleet.receiver.events() if event == "firing") == Counter(pages)
    assert max(Counter(key for key, event in fleet.receiver.events() if event == "resolved").values()) == 1
    assert [exit_ for exit_ in fleet.exits if exit_[2]] == []
