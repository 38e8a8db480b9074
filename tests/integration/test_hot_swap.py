"""A fleet on a Kafka and an Elasticsearch: a model is promoted and rules change while records flow."""

import json
import re
import shutil
import signal

import httpx
import pytest
from harness import TINY_MODEL, Fleet, numbered, wait_for

from triage.clock import SystemClock
from triage.config import load_settings
from triage.inference.promotion import promote
from triage.local.stack import free_port

pytestmark = pytest.mark.stack
RULES = 'version: "{}"\ndefault: {{severity: low, queue: {}}}\n'


@pytest.fixture
def registry(tmp_path):
    root = tmp_path / "registry"
    for name, version in (("a", "1"), ("b", "2")):
        shutil.copytree(TINY_MODEL, root / name)
        manifest = json.loads((root / name / "manifest.json").read_text())
        (root / name / "manifest.json").write_text(json.dumps(manifest | {"version": version}))
    (root / "CURRENT").write_text("a\n")
    return root


@pytest.fixture
def fleet(stack, prefix, tmp_path, registry):
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.format("1", "old"))
    flags = {"model.registry": registry, "model.device": "cpu", "rules.path": rules, "worker.reload_poll_s": 0}
    flags |= {"model.shadow": TINY_MODEL, "model.shadow_share": 1}
    fleet = Fleet(stack, prefix, tmp_path, **flags, **{"worker.health_port": free_port()})
    del fleet.flags["model.path"]
    fleet.prepare()
    yield fleet
    fleet.stop()


def test_nothing_is_lost_or_doubled_and_each_record_names_its_model_and_rules(fleet, registry, tmp_path):
    ready = f"http://127.0.0.1:{fleet.flags['worker.health_port']}/ready"

    def says(**expected):
        """Whether /ready says so; one that does not answer in time is asked again."""
        try:
            answer = httpx.get(ready, timeout=60).json()
        except httpx.HTTPError:
            return False
        found = answer["versions"] | {"refused": str(answer.get("refused"))}
        return all(text in found[name] for name, text in expected.items())

    def judged():
        """Texts that the shadow has judged."""
        try:
            exposed = httpx.get(ready.replace("ready", "metrics"), timeout=60).text
        except httpx.HTTPError:
            return 0
        return float(re.search(r"^triage_shadow_texts_total (\S+)", exposed, re.MULTILINE)[1])

    worker = fleet.start_worker("a")
    fleet.produce(numbered(600))
    wait_for(lambda: fleet.committed_lag() < 600, 60, "the first commit")
    wait_for(judged, 60, "the shadow to judge")
    settings = load_settings(None, {"model.registry": registry, "model.device": "cpu"})
    promote(settings, "b", SystemClock())
    (tmp_path / "rules.yaml").write_text(RULES.format("2", "new"))
    worker.send_signal(signal.SIGHUP)
    fleet.produce(numbered(600, start=600))
    wait_for(lambda: says(model="tiny-model@2", rules="2+"), 60, "the new versions")
    (registry / "b" / "model.onnx").write_bytes(b"damaged while it serves")
    worker.send_signal(signal.SIGHUP)
    wait_for(lambda: says(refused="model.onnx is damaged"), 60, "the refusal")
    before = judged()
    fleet.produce(numbered(300, start=1200))
    fleet.wait_drained()
    wait_for(lambda: judged() > before, 60, "the shadow to judge beside the new model")
    found = fleet.audit()
    assert set(found.enriched) == set(found.indexed) == {f"r{n}" for n in range(1500)}
    assert set(found.enriched.values()) == set(found.indexed.values()) == {1}
    assert (found.counted, found.dead) == (1500, {})
    records = [record for _, record, _ in fleet.read("enriched")]
    assert {record["versions"]["model"] for record in records} == {"tiny-model@1", "tiny-model@2"}
    for record in records:
        assert record["route"]["queue"] == {"1": "old", "2": "new"}[record["versions"]["rules"][0]]
        if int(record["event"]["id"][1:]) >= 1200:
            assert record["versions"]["model"] == "tiny-model@2"
    (log,) = tmp_path.glob("worker-a-*.log")
    assert log.read_text().count('"partitions_assigned"') == 1
    assert log.read_text().count('"reload_refused"') == 1
    assert log.read_text().count('"demo_author_key"') == 1
    exposed = httpx.get(ready.replace("ready", "metrics"), timeout=60).text
    assert 'triage_reloads_total{kind="model",outcome="swapped"} 1.0' in exposed
    assert 'triage_shadow_disagreements_total{head="intent"}' not in exposed  # it is the same model
    worker.terminate()
    assert worker.wait(30) == 0
    summaries = [json.loads(line) for line in log.read_text().splitlines() if '"shadow_summary"' in line]
    assert summaries[-1]["agreement"] == {"intent": 1.0, "sentiment": 1.0, "entities": 1.0, "risks": 1.0}
    assert summaries[-1]["live"] == "tiny-model@2"
