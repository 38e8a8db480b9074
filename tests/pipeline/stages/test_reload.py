"""Hot reload: records before and after carry their own versions, none is lost or doubled, broken news are refused."""

import json
import shutil
import threading
from pathlib import Path

import pytest
import structlog
from checkout import TINY_MODEL
from msgspec.structs import asdict
from worker_rig import TOPIC, Rig

from triage.config import load_settings
from triage.errors import ModelError, Unavailable
from triage.inference.model import OnnxModel
from triage.inference.promotion import promote
from triage.metrics import Metrics
from triage.pipeline.batch import Batch
from triage.pipeline.stages.hot_swap import identities, replaceables
from triage.pipeline.stages.reload import Reloader, Replaceable
from triage.runtime.health import Health
from triage.sinks.memory import MemorySink

RULES = """
version: "{version}"
default: {{severity: low, queue: {queue}}}
"""


@pytest.fixture
def registry(tmp_path, clock):
    root = tmp_path / "registry"
    for name, version in (("a", "1"), ("b", "2")):
        folder = Path(shutil.copytree(TINY_MODEL, root / name))
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(manifest | {"version": version}))
    (root / "CURRENT").write_text("a\n")
    (tmp_path / "rules.yaml").write_text(RULES.format(version="1", queue="old"))
    return root


@pytest.fixture
def flags(registry, tmp_path):
    return {
        "model.registry": registry,
        "model.device": "cpu",
        "model.threads": 1,
        "rules.path": tmp_path / "rules.yaml",
        "worker.max_batch_records": 10,
    }


class Steps:
    """The reloader as a stage; before batch n it runs `at[n]`, and a load is done before the next batch begins."""

    name = "steps"

    def __init__(self, reloader, clock, at):
        self.reloader, self.clock, self.at, self.batches = reloader, clock, at, 0

    def process(self, batch):
        if batch.consumed:
            self.at.pop(self.batches, lambda: None)()
            self.batches += 1
        self.clock.advance(6)
        self.reloader.process(batch)
        if self.reloader._loading:
            self.reloader._loading.join()


def _rig(flags, at, sink=None):
    settings = load_settings(None, flags)
    rig = Rig(sink, OnnxModel.load(settings.model), lambda rig: [_steps(rig, at)], **flags)
    rig.send(*(json.dumps({"id": f"r{n}", "text": f"My parcel never arrived ({n})"}).encode() for n in range(100)))
    return rig


def _steps(rig, at):
    seen = identities(rig.settings)
    found = replaceables(rig.settings, rig.enricher, rig.metrics, seen)
    reloader = Reloader(found, lambda: asdict(rig.enricher.versions), rig.clock, 5, rig.metrics, rig.health)
    return Steps(reloader, rig.clock, at)


def _versions(rig, kind):
    """Version on each record, in the order of the partition; the index and the topic must say the same, once."""
    produced, indexed = rig.produced("enriched"), rig.bodies()
    assert sorted(int(record["event"]["id"][1:]) for record in produced) == list(range(100))
    assert {r["event"]["id"]: r["versions"] for r in produced} == {r["event"]["id"]: r["versions"] for r in indexed}
    assert sum(count.total for count in rig.counts()) == 100
    assert rig.source.committed == {(TOPIC, 0): 100}
    assert rig.connects == 1
    return [record["versions"][kind] for record in produced]


def _reloads(rig, kind, outcome):
    return rig.metrics.registry.get_sample_value("triage_reloads_total", {"kind": kind, "outcome": outcome}) or 0


def test_a_model_promoted_in_mid_stream_judges_from_the_next_batch_on(flags, clock):
    settings = load_settings(None, flags)
    rig = _rig(flags, {4: lambda: promote(settings, "b", clock)})
    with structlog.testing.capture_logs() as logs:
        rig.run()
    assert _versions(rig, "model") == ["tiny-model@1"] * 50 + ["tiny-model@2"] * 50
    (swap,) = [entry for entry in logs if entry["event"] == "reloaded"]
    assert (swap["kind"], swap["previous"], swap["version"]) == ("model", "tiny-model@1", "tiny-model@2")
    assert rig.health.ready()[1]["versions"]["model"] == "tiny-model@2"
    assert (_reloads(rig, "model", "swapped"), _reloads(rig, "model", "refused")) == (1, 0)


def _damage(registry):
    (registry / "b" / "model.onnx").write_bytes(b"half a file")
    (registry / "CURRENT").write_text("b\n")


def test_a_broken_model_is_refused_loudly_once_and_taken_when_it_is_whole(flags, registry):
    said = []
    rig = _rig(
        flags,
        {
            2: lambda: _damage(registry),
            5: lambda: said.append(rig.health.ready()),
            6: lambda: shutil.copyfile(TINY_MODEL / "model.onnx", registry / "b" / "model.onnx"),
        },
    )
    with structlog.testing.capture_logs() as logs:
        rig.run()
    assert _versions(rig, "model") == ["tiny-model@1"] * 70 + ["tiny-model@2"] * 30
    refusals = [entry for entry in logs if entry["event"] == "reload_refused"]
    assert [(entry["kind"], entry["log_level"]) for entry in refusals] == [("model", "error")]
    assert "model.onnx is damaged" in refusals[0]["reason"]
    ready, page = said[0]
    assert ready
    assert "model.onnx is damaged" in page["refused"]["model"]
    assert "refused" not in rig.health.ready()[1]
    assert (_reloads(rig, "model", "swapped"), _reloads(rig, "model", "refused")) == (1, 1)


@pytest.mark.parametrize("pointer", ["gone\n", "", "../elsewhere", b"\xff\xfe"])
def test_a_pointer_to_nothing_is_refused(flags, registry, pointer):
    content = pointer if isinstance(pointer, bytes) else pointer.encode()
    rig = _rig(flags, {3: lambda: (registry / "CURRENT").write_bytes(content)})
    rig.run()
    assert set(_versions(rig, "model")) == {"tiny-model@1"}
    assert _reloads(rig, "model", "refused") == 1
    assert "CURRENT" in rig.health.ready()[1]["refused"]["model"]


def test_rules_change_in_mid_stream_and_bad_ones_are_refused(flags, tmp_path):
    path = tmp_path / "rules.yaml"
    rig = _rig(
        flags,
        {
            2: lambda: path.write_text("version: '2'\nrouting: [{name: x, queue: 5}]\n"),
            5: lambda: path.write_text(RULES.format(version="3", queue="new")),
        },
    )
    with structlog.testing.capture_logs() as logs:
        rig.run()
    versions = [version.partition("+")[0] for version in _versions(rig, "rules")]
    assert versions == ["1"] * 60 + ["3"] * 40
    assert [record["route"]["queue"] for record in rig.produced("enriched")] == ["old"] * 60 + ["new"] * 40
    (refusal,) = [entry for entry in logs if entry["event"] == "reload_refused"]
    assert "line 2: routing rule 'x': queue" in refusal["reason"]


def test_model_and_rules_at_once(flags, registry, tmp_path):
    def both():
        (registry / "CURRENT").write_text("b")
        (tmp_path / "rules.yaml").write_text(RULES.format(version="2", queue="new"))

    rig = _rig(flags, {1: both})
    rig.run()
    assert _versions(rig, "model")[-1] == "tiny-model@2"
    assert _versions(rig, "rules")[-1].startswith("2+")


def test_a_batch_that_waits_for_the_index_keeps_the_version_that_judged_it(flags, clock):
    settings = load_settings(None, flags)
    sink = MemorySink()
    write, waits = sink.write, []

    def busy(documents):
        if not waits:
            waits.append(promote(settings, "b", clock))
        if len(waits) < 4:
            waits.append(None)
            raise Unavailable("elasticsearch", "429")
        return write(documents)

    sink.write = busy
    rig = _rig(flags, {}, sink)
    rig.run()
    assert set(_versions(rig, "model")) == {"tiny-model@1", "tiny-model@2"}


class Thing:
    """A source whose content and whose loading a test decides."""

    def __init__(self, clock, poll_s=5):
        self.now, self.broken, self.looks, self.loads, self.applied = "1", False, 0, 0, "1"
        self.health = Health(clock)
        source = Replaceable("thing", self._look, self._load, self._apply, "1")
        self.reloader = Reloader([source], lambda: {"thing": self.applied}, clock, poll_s, Metrics(), self.health)

    def _look(self):
        self.looks += 1
        return self.now

    def _load(self):
        self.loads += 1
        if self.broken:
            raise ModelError("broken")
        return self.now

    def _apply(self, loaded):
        before, self.applied = self.applied, loaded
        return before, loaded

    def tick(self, times=1):
        for _ in range(times):
            self.reloader.process(Batch())
            if self.reloader._loading:
                self.reloader._loading.join()


def test_it_looks_no_more_often_than_it_is_told(clock):
    thing = Thing(clock, poll_s=5)
    thing.tick(100)
    assert thing.looks == 0
    clock.advance(5)
    thing.tick(100)
    assert (thing.looks, thing.loads) == (1, 0)


def test_without_polling_it_looks_when_asked(clock):
    thing = Thing(clock, poll_s=0)
    thing.now = "2"
    clock.advance(1000)
    thing.tick(10)
    assert thing.looks == 0
    thing.reloader.request()
    thing.tick(2)
    assert thing.applied == "2"


def test_what_was_refused_is_tried_again_when_asked_and_only_then(clock):
    thing = Thing(clock)
    thing.now, thing.broken = "2", True
    for _ in range(5):
        clock.advance(6)
        thing.tick()
    assert (thing.loads, thing.applied) == (1, "1")
    thing.reloader.request()
    thing.tick(5)
    assert thing.loads == 2
    thing.broken = False
    clock.advance(6)
    thing.tick()
    assert thing.loads == 2
    thing.reloader.request()
    thing.tick(2)
    assert (thing.loads, thing.applied) == (3, "2")
    assert "refused" not in thing.health.ready()[1]


def test_batches_pass_while_a_load_takes_long(clock):
    thing = Thing(clock)
    load, gate = thing._load, threading.Event()
    thing.reloader._replaceables[0].load = lambda: (gate.wait(30), load())[1]
    thing.now = "2"
    clock.advance(6)
    for _ in range(50):
        thing.reloader.process(Batch())
    assert thing.applied == "1"
    gate.set()
    thing.reloader.close()
    thing.tick()
    assert thing.applied == "2"
