"""`triage replay` on a stack, beside a worker: judged again, nothing twice, nothing newer overwritten, nobody paged."""

import json
import shutil

import pytest
from cli import run
from harness import TINY_MODEL, Fleet, numbered, wait_for

from triage.clock import SystemClock
from triage.elastic.client import connect
from triage.pipeline.backfill.replay import Replay, Request
from triage.types import Channel

pytestmark = pytest.mark.stack
RULES = 'version: "{}"\ndefault: {{severity: low, queue: {}}}\n'


@pytest.fixture
def fleet(stack, prefix, tmp_path):
    for name, queue in (("old", "before"), ("new", "after")):
        (tmp_path / f"{name}.yaml").write_text(RULES.format(name, queue))
    fleet = Fleet(stack, prefix, tmp_path, **{"rules.path": tmp_path / "old.yaml"}).prepare()
    yield fleet
    fleet.stop()


@pytest.fixture
def model(tmp_path):
    """The tiny model under another version."""
    folder = shutil.copytree(TINY_MODEL, tmp_path / "next")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"version": "2"}))
    return folder


def _command(capfd, fleet, *arguments):
    flags = [f"--set={name}={value}" for name, value in fleet.flags.items()]
    return run(capfd, "replay", *arguments, *flags, "--set=logging.level=ERROR", "--set=replay.rate=5000")


def _documents(fleet):
    with connect(fleet.settings.elasticsearch) as client:
        client.indices.refresh(index=fleet.prefix)
        return {hit["_id"]: hit for hit in client.search(index=fleet.prefix, size=500, version=True)["hits"]["hits"]}


def test_by_time_and_by_model_version(fleet, model, tmp_path, capfd):
    fleet.start_worker("a")
    fleet.produce([*numbered(60), b"broken", b'{"text": "My parcel never arrived"}'])
    fleet.wait_drained()
    before, counted = _documents(fleet), fleet.audit().counted
    assert len(before) == 61
    assert _command(capfd, fleet, "--from", "1h", "--dry-run").out.startswith("62 raw records")

    fleet.flags["rules.path"] = tmp_path / "new.yaml"
    start = SystemClock().now_ms() - 3_600_000
    request = Request(start, SystemClock().now_ms(), tuple(Channel))
    settings = type(fleet)(fleet_endpoints(fleet), fleet.prefix, tmp_path, **fleet.flags).settings
    settings = settings.model_copy(
        update={"replay": settings.replay.model_copy(update={"rate": 5000.0, "batch_records": 10})}
    )
    stopping = Replay(settings, SystemClock(), request)
    stopping._stop = lambda: stopping.progress.read >= 20
    half = stopping.run()
    assert 20 <= half.read < 62
    account = Replay(settings, SystemClock(), request).run()
    assert (account.resumed, account.read + account.resumed) == (half.read, 62)
    assert dict(account.refused + half.refused) == {"not_json": 1}
    assert account.written + half.written == 61
    after = _documents(fleet)
    assert {key: hit["_version"] for key, hit in after.items()} == {key: hit["_version"] for key, hit in before.items()}
    assert {hit["_source"]["route"]["queue"] for hit in after.values()} == {"after"}
    assert {hit["_source"]["versions"]["rules"].partition("+")[0] for hit in after.values()} == {"new"}
    assert fleet.audit().counted == counted
    assert Replay(settings, SystemClock(), request).run().read == 0

    fleet.flags["model.path"] = model
    replayed = _command(capfd, fleet, "--model-version", "tiny-model@1")
    assert replayed.code == 0, replayed.err
    assert "61 of 61 documents of tiny-model@1 read; 61 written" in replayed.err
    last = _documents(fleet)
    assert {hit["_source"]["versions"]["model"] for hit in last.values()} == {"tiny-model@2"}
    for key, hit in last.items():
        stored, was = hit["_source"], after[key]["_source"]
        assert (stored["text"], stored["event"], stored["@timestamp"]) == (was["text"], was["event"], was["@timestamp"])
        assert stored["entities"] == was["entities"]
        assert stored["flags"] == was["flags"]
    topic = {key.decode(): value for key, value, _ in fleet.read("enriched")}
    assert topic == {key: hit["_source"] for key, hit in last.items()}


@pytest.mark.slow
def test_newer_content_stays_in_index_and_topic(fleet, tmp_path, capfd):
    fleet.start_worker("a")
    old = json.dumps({"id": "same", "source": "s", "text": "My parcel never arrived"}).encode()
    fleet.produce([old], topic="complaints")
    fleet.wait_drained()
    middle = SystemClock().now_ms() + 1
    wait_for(lambda: SystemClock().now_ms() > middle + 5, 5, "some milliseconds")
    fleet.produce([json.dumps({"id": "same", "source": "s", "text": "I love it"}).encode()], topic="complaints")
    fleet.wait_drained()
    settings = fleet.settings
    account = Replay(settings, SystemClock(), Request(0, middle, (Channel.COMPLAINT,))).run()
    assert (account.read, account.written, account.superseded) == (1, 0, 1)
    (document,) = _documents(fleet).values()
    assert document["_source"]["text"] == "I love it"
    assert [record["text"] for _, record, _ in fleet.read("enriched")][-1] == "I love it"


def test_bad_requests_are_usage_errors(capfd):
    assert run(capfd, "replay").code == 2
    assert "is not before" in run(capfd, "replay", "--from", "1h", "--to", "2h").err
    assert "takes RFC 3339" in run(capfd, "replay", "--from", "yesterday").err


def fleet_endpoints(fleet):
    from triage.local.stack import Endpoints

    return Endpoints(fleet.settings.kafka.bootstrap_servers, fleet.settings.elasticsearch.url)
