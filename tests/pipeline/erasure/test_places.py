"""Forgetting an author, place by place: what was cut off anywhere is completed by the next run."""

from types import SimpleNamespace

import msgspec
import pytest
from records import enriched

from triage.clock import ManualClock
from triage.config import load_settings
from triage.errors import Unavailable
from triage.pipeline.erasure import places as erasure
from triage.pipeline.erasure.places import Erased, Erasure
from triage.pipeline.erasure.survey import Survey
from triage.schemas.alert import Alert, Example
from triage.schemas.deadletter import DeadLetter
from triage.schemas.turn import AnsweredTurn
from triage.schemas.version import timed_version

ANNA, BEN = "v1:" + "a" * 32, "v1:" + "b" * 32
LETTER = DeadLetter(
    stage="validate", reason="empty_text", message="", topic="t", partition=0, offset=0, timestamp_ms=0, failed_at="",
    attempts=1, pipeline="0", payload="{}", payload_bytes=2, headers={},
)  # fmt: skip


def example(identity):
    return Example(identity, f"text of {identity}", "delivery", "complaint", "2026-11-22T09:30:00.000Z")


def quoting(*ids):
    return Alert(
        dedup_key="spike-1", rule="r", key="", dimensions={}, status="resolved", severity="high", title="t",
        summary="s", started_at="2026-11-22T09:30:00.000Z", updated_at="2026-11-22T09:30:00.000Z", window_s=300,
        negative=1, total=1, share=1.0, peak_negative=1, examples=[example(each) for each in ids],
    )  # fmt: skip


class Places:
    """Index and topics in memory. The call number `crash_at` on them raises after it was done; 0: none does."""

    def __init__(self, monkeypatch):
        self.documents = {"doc-1": (10, ANNA), "doc-2": (11, ANNA), "doc-3": (12, BEN)}
        self.alert = quoting("doc-1", "doc-3")
        self.topics = {f"feedback.{name}": [] for name in ("enriched", "dead-letter", "alerts", "answered-turns")}
        self.calls, self.crash_at, self.later = 0, 0, None
        self.hidden, self.waits = {}, []
        self.before_alert, self.after_alert = [], []
        self.put("alerts", b"spike-1", self.alert)
        for name, key in ((ANNA, b"t/0/1"), (BEN, b"t/0/2")):
            self.put("dead-letter", key, msgspec.structs.replace(LETTER, author_id=name))
        self.put("dead-letter", b"t/0/3", msgspec.structs.replace(LETTER, payload=f'{{"author_id":"{ANNA}"}}'))
        self.put("dead-letter", b"t/0/4", None)
        for key, author in ((b"c-1/1", ANNA), (b"c-1/2", ANNA), (b"c-2/1", BEN)):
            self.put("answered-turns", key, AnsweredTurn(conversation="c", turn=1, text="late", author_id=author))
        self.topics["feedback.alerts"].append(SimpleNamespace(key=b"\xff", value=b'{"dedup_key": "\xff"}'))
        documents = SimpleNamespace(
            by_authors=lambda hashes: hashes, refresh=lambda *_: None, pages=self._pages, delete=self._delete
        )
        monkeypatch.setattr(erasure, "documents", documents)
        monkeypatch.setattr(erasure, "wait_for_open_transactions", self._settle)
        monkeypatch.setattr(erasure, "alerts_with_examples", self._alerts)
        monkeypatch.setattr(erasure, "store_alert", self._store)
        monkeypatch.setattr(erasure, "erase_corrections", lambda *_, **__: self._done(0))
        monkeypatch.setattr(erasure, "erase_conversations", lambda *_, **__: self._done(0))
        self.cases = ["doc-1"]
        monkeypatch.setattr(erasure, "erase_cases", self._erase_cases)
        monkeypatch.setattr(erasure, "erase_evidence", lambda *_, **__: self._done(0))

    def put(self, topic, key, value):
        encoded = None if value is None else msgspec.json.encode(value)
        self.topics[f"feedback.{topic}"].append(SimpleNamespace(key=key, value=encoded))

    def forget(self, dry_run=False):
        class Clock(ManualClock):
            def sleep(_, seconds):  # noqa: N805
                if self.later is not None:
                    self.later()

        erased = Erased([ANNA], Survey([ANNA], {"1": "as recorded"}))
        writer = SimpleNamespace(send=lambda *_: None, flush=lambda: None) if dry_run else self
        Erasure(load_settings(None, {}), None, self, writer, erased).run(100, Clock(), dry_run=dry_run)
        return erased

    def left(self):
        """Where something of Anna still is."""
        kept = {topic: messages for topic, messages in self.topics.items() if topic != "feedback.forgotten"}
        last = {(topic, each.key): each.value for topic, messages in kept.items() for each in messages}
        texts = [str(self.documents), str(self.alert), *(str(value) for value in last.values())]
        return [text for text in texts if ANNA in text or "text of doc-1" in text]

    # The writer.

    def send(self, topic, key, value):
        if topic == "alerts" and self.before_alert:
            self.put("alerts", key, self.before_alert.pop())
        self.topics.setdefault(f"feedback.{topic}", []).append(SimpleNamespace(key=key, value=value))

        if topic == "alerts" and self.after_alert:
            self.put("alerts", key, self.after_alert.pop())

    def flush(self):
        self._done()

    # The scan.

    def partitions(self, topics):
        return topics

    def existing_partitions(self, topic):
        return [f"feedback.{topic}"]

    def ranges(self, topics):
        return {topic: (0, len(self.topics[topic]) - self.hidden.get(topic, 0)) for topic in topics}

    def read(self, ranges):
        for topic, (start, end) in ranges.items():
            yield self.topics[topic][start:end]

    def _settle(self, _, __, partitions, timeout_s):
        self.waits.append((sorted(partitions), timeout_s))
        for topic in partitions:
            self.hidden.pop(topic, None)

    # The index.

    def _pages(self, _, __, hashes, size):
        found = [(i, v) for i, (v, author) in self.documents.items() if author in hashes]
        yield [SimpleNamespace(index="feedback-1", id=identity, version=version) for identity, version in found]

    def _delete(self, _, mine):
        for _, identity, version in mine:
            assert version >= self.documents.get(identity, (0, ""))[0], "the index refuses an older deletion"
            self.documents.pop(identity, None)
        self._done()

    def _erase_cases(self, _, __, ___, dry_run):
        found = list(self.cases)
        if not dry_run:
            self.cases.clear()
        return self._done(found)

    def _alerts(self, _, __, ids):
        if any(each.id in ids for each in self.alert.examples):
            yield 7, self.alert

    def _store(self, _, __, alert, ___):
        self.alert = alert
        self._done()

    def _done(self, result=None):
        self.calls += 1
        if self.calls == self.crash_at:
            raise Unavailable("kafka", "cut off")
        return result


@pytest.fixture
def places(monkeypatch):
    return Places(monkeypatch)


def test_nothing_of_the_author_is_left_and_all_of_others(places):
    erased = places.forget()
    assert (erased.documents, erased.alerts, erased.dead_letters, erased.late) == (2, 1, 2, 0)
    assert places.left() == []
    assert places.documents == {"doc-3": (12, BEN)}
    assert [each.id for each in places.alert.examples] == ["doc-3"]
    assert (erased.cases, places.topics["feedback.resolutions"][0].key) == (1, b"doc-1")
    assert erased.turns == 2
    assert [each.key for each in places.topics["feedback.answered-turns"] if each.value is None] == [b"c-1/1", b"c-1/2"]
    again = places.forget()
    assert (again.total, again.letters_read) == (0, 4)


def test_messages_that_triage_did_not_write_are_counted(places):
    assert places.forget().not_understood == 1


def test_documents_whose_source_names_the_version_are_erased_too(places):
    places.documents["doc-9"] = (2**62 + 4_000, ANNA)
    places.forget()
    assert places.documents == {"doc-3": (12, BEN)}


def test_documents_whose_version_holds_the_offset_are_erased_with_a_deletion_above_it(places):
    places.documents["doc-9"] = (timed_version(10, 77), ANNA)
    places.documents["doc-8"] = (timed_version(2**41, 1), ANNA)
    places.forget()
    assert set(places.documents) == {"doc-3", "doc-8"}, "doc-8 was written after the time of the erasure"


def test_a_dry_run_counts_the_same_and_changes_nothing(places):
    before = places.left()
    erased = places.forget(dry_run=True)
    assert (erased.documents, erased.alerts, erased.dead_letters) == (2, 1, 2)
    assert places.left() == before


@pytest.mark.parametrize("call", range(1, 16))
def test_a_run_cut_off_anywhere_is_completed_by_the_next(places, call):
    places.crash_at = call
    with pytest.raises(Unavailable):
        places.forget()
    places.crash_at = 0
    places.forget()
    assert places.left() == []


def test_a_letter_that_a_worker_had_in_hand_goes_too(places):
    places.later = lambda: places.put("dead-letter", b"t/0/9", msgspec.structs.replace(LETTER, author_id=ANNA))
    assert places.forget().dead_letters == 3
    assert places.left() == []


def test_what_was_committed_behind_an_open_transaction_goes_too(places):
    def late_record():
        places.put("dead-letter", b"t/0/9", msgspec.structs.replace(LETTER, author_id=ANNA))
        places.put("enriched", b"doc-9", enriched("It never arrived", 9, author_id=ANNA))
        places.hidden = {"feedback.dead-letter": 1, "feedback.enriched": 1}

    places.later = late_record
    erased = places.forget()
    assert (erased.dead_letters, erased.late) == (3, 1)
    assert places.left() == []
    assert places.waits == [([f"feedback.{name}"], 10 + 30) for name in ("enriched", "dead-letter", "answered-turns")]


def test_a_dry_run_waits_for_nobody(places):
    places.forget(dry_run=True)
    assert places.waits == []


def _states(places):
    return [
        msgspec.json.decode(each.value, type=Alert) for each in places.topics["feedback.alerts"] if each.key != b"\xff"
    ]


@pytest.mark.parametrize("quotes", [("doc-1", "doc-3"), ("doc-3",)])
def test_a_state_that_the_alerter_published_just_before_ours_stands_again_in_the_end(places, quotes):
    places.topics["feedback.alerts"].clear()
    places.put("alerts", b"spike-1", msgspec.structs.replace(quoting("doc-1", "doc-3"), status="firing"))
    places.before_alert = [quoting(*quotes)]
    erased = places.forget()
    assert [each.status for each in _states(places)] == ["firing", "resolved", "firing", "resolved"]
    assert places.left() == []
    assert (erased.alerts, erased.open_alerts) == (1, [])


@pytest.mark.parametrize(("quotes", "more"), [(("doc-1",), ["resolved"]), (("doc-3",), [])])
def test_one_that_it_published_just_after_ours_is_scrubbed_where_it_quotes(places, quotes, more):
    places.topics["feedback.alerts"].clear()
    places.put("alerts", b"spike-1", msgspec.structs.replace(quoting("doc-1"), status="firing"))
    places.after_alert = [quoting(*quotes)]
    places.forget()
    assert [each.status for each in _states(places)] == ["firing", "firing", "resolved", *more]
    assert places.left() == []


def test_an_alert_that_was_deleted_from_the_topic_does_not_come_back(places):
    places.put("alerts", b"spike-1", None)
    places.forget()
    assert places.topics["feedback.alerts"][-1].value is None
