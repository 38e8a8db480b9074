"""`triage forget` on a stack: nothing of the author is left, nothing of others is gone, and nothing comes back."""

import json
import time

import msgspec
import pytest
from cli import run
from harness import Fleet, numbered, wait_for
from kafka import KafkaProducer
from records import enriched

from triage.clock import ManualClock, SystemClock
from triage.config import load_settings
from triage.elastic.client import connect
from triage.elastic.corrections import correct
from triage.pipeline.backfill.replay import Replay, Request
from triage.redaction import Redactor
from triage.schemas.alert import Alert, Example
from triage.schemas.correction import correction_of
from triage.schemas.deadletter import DeadLetter
from triage.schemas.enriched import EnrichedRecord
from triage.types import Channel

pytestmark = pytest.mark.stack
FIRST = "first secret, long enough"
KEYS = {"redaction.author_key": FIRST, "redaction.author_key_version": "1"}
ROTATED = {
    "redaction.author_key": "second secret, long enough",
    "redaction.author_key_version": "2",
    "redaction.old_author_keys": {"1": FIRST},
}


@pytest.fixture
def fleet(stack, prefix, tmp_path):
    fleet = Fleet(stack, prefix, tmp_path, **KEYS).prepare()
    yield fleet
    fleet.stop()


def _by(author, text, n):
    return json.dumps({"id": f"{author}{n}", "source": "shop", "author_id": author, "text": f"{text} {n}"}).encode()


def _forget(capfd, fleet, *arguments, flags=ROTATED):
    named = {**fleet.flags, **flags}
    values = [f"--set={k}={json.dumps(v) if isinstance(v, dict) else v}" for k, v in named.items()]
    return run(capfd, "forget", "--source", "shop", *arguments, *values, "--set=logging.level=ERROR")


def _alert(key, examples):
    return Alert(
        dedup_key=key, rule="r", key="", dimensions={}, status="resolved", severity="high", title="t", summary="s",
        started_at="2026-11-22T09:30:00.000Z", updated_at="2026-11-22T09:30:00.000Z", window_s=300, negative=1, total=1,
        share=1.0, peak_negative=1, examples=examples,
    )  # fmt: skip


def _seed_alert(fleet, identity):
    """An alert that quotes a record, in the index and in the topic, as the alerter leaves it."""
    mine = Example(identity, "Anna wrote this", "delivery", "complaint", "2026-11-22T09:30:00.000Z")
    other = msgspec.structs.replace(mine, id="someone-else", text="Ben wrote that")
    alert = _alert("spike-1", [mine, other])
    with connect(fleet.settings.elasticsearch) as client:
        client.index(
            index=fleet.settings.elasticsearch.alerts_index, id=alert.dedup_key, document=msgspec.to_builtins(alert),
            version=7, version_type="external_gte", refresh=True,
        )  # fmt: skip
    producer = KafkaProducer(bootstrap_servers=fleet.settings.kafka.bootstrap_servers)
    producer.send(fleet.settings.kafka.topic("alerts"), key=b"spike-1", value=msgspec.json.encode(alert))
    producer.flush()
    producer.close()


def _seed_correction(fleet, hit):
    """What a person said about a record, which carries its text."""
    record = msgspec.convert(hit["_source"], EnrichedRecord)
    said = {"actor": "kim", "corrected_at": "2026-11-22T09:30:00.000Z", "intent": "billing", "sentiment": None}
    with connect(fleet.settings.elasticsearch) as client:
        correct(client, fleet.settings.elasticsearch, correction_of(hit["_id"], record, **said))


def _left_of(fleet, hashes):
    """Every place that still names one of the hashes or holds the author's text, but the raw topics."""
    places = []
    with connect(fleet.settings.elasticsearch) as client:
        client.indices.refresh(index=f"{fleet.prefix}*,alerts-{fleet.prefix}*")
        hits = client.search(index=f"{fleet.prefix}*,alerts-{fleet.prefix}*", size=1000)["hits"]["hits"]
        places += [("index", json.dumps(hit["_source"])) for hit in hits]
    for name in ("enriched", "dead-letter", "alerts", "window-counts"):
        last = {}
        for at, (key, value, _) in enumerate(fleet.read(name)):
            last[key if key is not None else at] = value
        places += [(name, json.dumps(value)) for value in last.values() if value is not None]
    return [(where, text) for where, text in places if "Anna wrote" in text or any(each in text for each in hashes)]


def test_everything_of_an_author_goes_and_stays_away(fleet, capfd):  # noqa: PLR0915  # one life of an author
    fleet.start_worker("a")
    mine = [_by("anna", "Anna wrote this about a parcel", n) for n in range(7)]
    bad = b'{"text": "", "source": "shop", "author_id": "anna", "note": "Anna wrote this too"}'
    fleet.produce([*mine, bad, *[_by("ben", "Ben wrote that", n) for n in range(5)], *numbered(5)])
    fleet.wait_drained()
    settings = load_settings(None, {**fleet.flags, **ROTATED})
    hashes = Redactor(settings.redaction).author_hashes("shop", "anna")
    assert [each[:3] for each in hashes] == ["v2:", "v1:"]
    with connect(fleet.settings.elasticsearch) as client:
        client.indices.refresh(index=fleet.prefix)
        found = client.search(index=fleet.prefix, query={"term": {"author_id": hashes[1]}}, size=100)["hits"]["hits"]
    assert len(found) == 7
    _seed_alert(fleet, found[0]["_id"])
    _seed_correction(fleet, found[0])
    assert len(_left_of(fleet, hashes)) == 7 + 7 + 1 + 2 + 1

    dry = _forget(capfd, fleet, "--author", "anna", "--dry-run")
    assert dry.code == 0, dry.err
    assert "documents to erase\t7" in dry.out
    assert "dead letters to erase\t1" in dry.out
    assert "corrections to erase\t1" in dry.out
    assert len(_left_of(fleet, hashes)) == 18
    assert _forget(capfd, fleet, "--author", "anna").code == 2

    erased = _forget(capfd, fleet, "--author", "anna", "--yes", "--json")
    assert erased.code == 0, erased.err
    account = json.loads(erased.out)
    assert (account["documents"], account["dead_letters"], account["alerts"]) == (7, 1, 1)
    assert account["corrections"] == 1
    assert account["open_alerts"] == []
    assert _left_of(fleet, hashes) == []
    now_ms = SystemClock().now_ms()
    hour = 3_600_000
    assert len(account["raw"]) == 4
    assert all(3 * 24 * hour < each["until_ms"] - now_ms < 3 * 24 * hour + 7 * hour for each in account["raw"])
    with connect(fleet.settings.elasticsearch) as client:
        assert client.count(index=fleet.prefix)["count"] == 10
    left = fleet.audit()
    assert left.enriched == left.indexed
    assert left.enriched.total() == 10

    again = json.loads(_forget(capfd, fleet, "--author", "anna", "--yes", "--json").out)
    assert (again["documents"], again["dead_letters"], again["alerts"]) == (0, 0, 0)

    replayed = Replay(settings, SystemClock(), Request(0, SystemClock().now_ms(), tuple(Channel))).run()
    assert replayed.forgotten == 8
    assert _left_of(fleet, hashes) == []

    # A worker that starts over passes over them too; what the author writes from now on is a record like any other.
    fleet.stop()
    fleet.flags |= {"worker.group": f"{fleet.prefix}-again", "redaction.author_key": FIRST}
    fleet.start_worker("b")
    fleet.produce([_by("anna", "Anna is back", 99)])
    fleet.settings = load_settings(None, fleet.flags)
    fleet.wait_drained()
    assert _left_of(fleet, hashes[:1]) == []
    texts = wait_for(lambda: [t for _, t in _left_of(fleet, hashes) if "is back" in t], 30, "the new record")
    assert len(texts) == 2
    assert len(_left_of(fleet, hashes)) == 2


@pytest.mark.slow
def test_a_dead_letter_that_stands_behind_the_transaction_of_a_killed_worker_goes_too(fleet, capfd, monkeypatch):
    kafka = fleet.settings.kafka
    topic = kafka.topic("dead-letter")
    hashes = Redactor(fleet.settings.redaction).author_hashes("shop", "anna")
    letter = DeadLetter(
        stage="decode", reason="empty_text", message="", topic="t", partition=0, offset=0, timestamp_ms=1, failed_at="",
        attempts=1, pipeline="1", payload="", payload_bytes=0, headers={}, author_id=hashes[0],
    )  # fmt: skip
    killed = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers, transactional_id=f"{fleet.prefix}-killed")
    killed.init_transactions()
    killed.begin_transaction()
    for partition in killed.partitions_for(topic):
        killed.send(topic, key=b"other", partition=partition).get(30)
    peer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    peer.send(topic, key=letter.key.encode(), value=msgspec.json.encode(letter)).get(30)
    peer.close()

    class Ending(ManualClock):
        aborted = False

        def sleep(self, _):
            if not self.aborted:
                killed.abort_transaction()
                self.aborted = True
            time.sleep(0.05)

    monkeypatch.setattr("triage.topics.open_transactions.SystemClock", Ending)
    erased = _forget(capfd, fleet, "--author", "anna", "--yes", "--json")
    killed.close()
    assert erased.code == 0, erased.err
    assert json.loads(erased.out)["dead_letters"] == 1
    assert _left_of(fleet, hashes) == []


def test_an_author_from_standard_input_and_unknown_ones(fleet, capfd, monkeypatch):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("nobody\n"))
    erased = _forget(capfd, fleet, "--author", "-", "--yes")
    assert erased.code == 3, erased.err
    assert "documents erased\t0" in erased.out
    assert "holds the raw text until" in erased.out
    assert "nothing was found of this author under source 'shop'" in erased.err
    assert "the index has no check value of an author key" in erased.err
    assert "nobody" not in erased.out + erased.err


@pytest.fixture
def seeded(stack, prefix, tmp_path, capfd):
    """An index whose first key is recorded, with documents of two sources; no worker runs."""
    fleet = Fleet(stack, prefix, tmp_path, **KEYS).prepare()
    assert _index_apply(capfd, fleet, KEYS).code == 0
    redactor = Redactor(fleet.settings.redaction)
    with connect(fleet.settings.elasticsearch) as client:
        for n, (source, author) in enumerate([("shop", "anna"), ("shop", "anna"), ("app", "anna"), ("shop", "ben")]):
            _store(client, fleet, n, source, redactor.author_hash(source, author))
        client.indices.refresh(index=fleet.prefix)
    return fleet


def _store(client, fleet, n, source, author):
    record = enriched(source=source, author_id=author)
    client.index(index=f"{fleet.prefix}-2026.11.22", id=f"doc-{n}", document=msgspec.to_builtins(record), refresh=True)


def _index_apply(capfd, fleet, flags):
    named = {**fleet.flags, **flags}
    values = [f"--set={k}={json.dumps(v) if isinstance(v, dict) else v}" for k, v in named.items()]
    return run(capfd, "index", "apply", *values)


@pytest.mark.slow
def test_the_report_lists_where_it_looked_what_it_found_and_what_it_erased(seeded, capfd, tmp_path):
    path = tmp_path / "report.json"
    erased = _forget(capfd, seeded, "--author", "anna", "--yes", "--report", path)
    assert erased.code == 0, erased.err
    assert "the same author id has 1 documents under source 'app'" in erased.err
    report = json.loads(path.read_text())
    index = f"{seeded.prefix}-2026.11.22"
    assert report["indices"] == {index: 2}
    assert f"index {index}" in report["looked_at"]
    assert f"index {seeded.prefix}_corrections" in report["looked_at"]
    assert report["keys"] == {"2": "not recorded", "1": "as recorded"}
    assert report["other_sources"] == {"app": 1}
    assert (report["documents"], report["dry_run"], report["source"], report["questions"]) == (2, False, "shop", [])
    assert report["raw"][0]["until_ms"] > 0
    assert "anna" not in path.read_text()

    again = _forget(capfd, seeded, "--author", "anna", "--yes", "--report", tmp_path / "report.txt")
    assert again.code == 0, again.err
    text = (tmp_path / "report.txt").read_text()
    assert "documents erased\t0" in text
    assert "2 erased until now" in text
    assert "snapshots of Elasticsearch" in text
    assert _forget(capfd, seeded, "--author", "anna", "--yes", "--report", tmp_path / "no" / "r").code == 2


def test_a_wrong_key_is_refused_and_named(seeded, capfd):
    wrong = {**KEYS, "redaction.author_key": "another secret of this length"}
    refused = _forget(capfd, seeded, "--author", "anna", "--yes", flags=wrong)
    assert refused.code == 2
    assert "redaction.author_key is not the key that made the author hashes of version 1" in refused.err
    assert "redaction.author_key_version" in refused.err
    assert _forget(capfd, seeded, "--author", "anna", "--dry-run", flags=wrong).code == 2
    applied = _index_apply(capfd, seeded, wrong)
    assert applied.code == 2
    assert "is not the one that made the 4 author hashes of that version" in applied.err
    assert _index_apply(capfd, seeded, ROTATED).code == 0
    assert _forget(capfd, seeded, "--author", "anna", "--yes", flags=ROTATED).code == 0


@pytest.mark.slow
def test_hashes_of_unknown_keys_are_named(seeded, capfd):
    rotated = {**KEYS, "redaction.author_key": "second secret, long enough", "redaction.author_key_version": "2"}
    asked = _forget(capfd, seeded, "--author", "anna", "--yes", "--json", flags=rotated)
    assert asked.code == 3
    assert "author hashes of unknown keys were not searched (version 1 4)" in asked.err
    assert json.loads(asked.out)["unknown_key_versions"] == {"1": 4}


@pytest.mark.slow
def test_nothing_is_erased_while_a_part_of_the_index_cannot_be_seen(seeded, capfd):
    index = f"{seeded.prefix}-2026.11.22"
    with connect(seeded.settings.elasticsearch) as client:
        client.indices.close(index=index)
        refused = _forget(capfd, seeded, "--author", "anna", "--yes", flags=KEYS)
        assert refused.code == 1
        assert f"{index}: it is closed; open it: POST /{index}/_open" in refused.err
        client.indices.open(index=index)
    assert _forget(capfd, seeded, "--author", "anna", "--yes", flags=KEYS).code == 0


@pytest.mark.slow
def test_trial_records_from_before_the_own_key_are_found(seeded, capfd):
    """The index began with the demo key, and got an own key of the same version later."""
    trial = {"redaction.author_key": "triage-demo-key"}
    with connect(seeded.settings.elasticsearch) as client:
        for hit in client.search(index=seeded.prefix, size=100).body["hits"]["hits"]:
            client.delete(index=hit["_index"], id=hit["_id"], refresh=True)
        name = f"triage.feedback.{seeded.prefix}"
        template = client.indices.get_index_template(name=name).body["index_templates"][0]["index_template"]
        template["_meta"].pop("author_keys")
        client.indices.put_index_template(name=name, body={k: v for k, v in template.items() if v and "_date" not in k})
        assert _index_apply(capfd, seeded, trial).code == 0
        demo = Redactor(load_settings(None, {**seeded.flags, **trial}).redaction)
        _store(client, seeded, 9, "shop", demo.author_hash("shop", "anna"))
    refused = _index_apply(capfd, seeded, KEYS)
    assert refused.code == 2
    assert "is not the one that made the 1 author hashes of that version" in refused.err
    erased = _forget(capfd, seeded, "--author", "anna", "--yes", "--json", flags=KEYS)
    assert erased.code == 0, erased.err
    assert json.loads(erased.out)["documents"] == 1
    assert json.loads(erased.out)["keys"] == {"1": "recorded with the demo key"}
