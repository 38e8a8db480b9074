"""Resolutions become cases of their records, and similar ones are found with how often they ended the case."""

import json
from datetime import date
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import msgspec
import pytest
from records import AT_MS, enriched

from triage.assist.cases.indexer import CaseIndexer
from triage.assist.cases.reading import read_resolutions, resolution_of
from triage.assist.cases.similar import CaseFinder
from triage.config import RedactionSettings
from triage.elastic import cases as store
from triage.elastic.naming import IndexNaming
from triage.elastic.plan import apply as apply_plan
from triage.elastic.plan import plan_index
from triage.errors import InvalidRecord
from triage.redaction import Redactor
from triage.schemas.resolution import Resolution

NOW_MS = 1_795_339_800_000
AT = "2026-11-20T09:30:00.000Z"


def resolution(record="r1", answer="We sent a new one.", outcome="solved", at=AT, kind="replacement"):
    return Resolution(record=record, answer=answer, outcome=outcome, at=at, resolution=kind)


def message(found, key=None):
    value = None if found is None else msgspec.json.encode(found)
    return SimpleNamespace(key=(key or found.record).encode(), value=value)


@pytest.fixture
def indexer(client, settings, clock, encoder):
    apply_plan(client, plan_index(client, settings, clock))
    index = IndexNaming(settings.index_prefix, date(2026, 1, 1)).index_for(AT_MS)
    texts = {"r1": "My parcel is late", "r2": "The parcel came late again", "r3": "App crashes at login"}
    for name, text in texts.items():
        client.index(index=index, id=name, document=msgspec.to_builtins(enriched(text)))
    client.indices.refresh(index=index)
    return CaseIndexer(client, settings, Redactor(RedactionSettings()), encoder)


def cases(client, settings):
    client.indices.refresh(index=settings.cases())
    return {hit["_id"]: hit["_source"] for hit in client.search(index=settings.cases(), size=100)["hits"]["hits"]}


@pytest.mark.stack
def test_a_resolution_is_joined_to_its_record_and_redacted(client, settings, indexer):
    indexer.take([message(resolution(answer="Write to jane.miller@example.com")), message(resolution("unknown"))])
    (case,) = cases(client, settings).values()
    assert (case["text"], case["ended"], case["intent"]) == ("My parcel is late", True, enriched("x").intent.label)
    assert case["answer"] == "Write to [EMAIL]"
    assert (indexer.written, indexer.waiting) == (1, 1)


@pytest.mark.stack
def test_the_newest_resolution_stays_and_what_is_stored_is_not_written_again(client, settings, indexer):
    indexer.take([message(resolution(outcome="reopened", at="2026-11-21T09:30:00.000Z"))])
    indexer.take([message(resolution(outcome="solved"))])
    assert cases(client, settings)["r1"]["outcome"] == "reopened"
    indexer.take([message(resolution(outcome="reopened", at="2026-11-21T09:30:00.000Z"))])
    assert indexer.written == 1


@pytest.mark.stack
def test_a_tombstone_and_an_erased_author_delete_the_case(client, settings, indexer):
    indexer.take([message(resolution()), message(resolution("r2"))])
    indexer.take([message(None, "r1")])
    assert list(cases(client, settings)) == ["r2"]
    client.update(index=settings.cases(), id="r2", doc={"author_id": "v1:abc"}, refresh=True)
    assert len(store.erase_cases(client, settings, ["v1:abc"], dry_run=True)) == 1
    assert store.erase_cases(client, settings, ["v1:abc"]) == ["r2"]
    assert cases(client, settings) == {}


@pytest.mark.stack
def test_similar_cases_have_a_share_from_five_cases_on(client, settings, indexer, encoder):
    indexer.take([message(resolution()), message(resolution("r3", kind="reinstall"))])
    finder = CaseFinder(client, settings, encoder)
    client.indices.refresh(index=settings.cases())
    first, *_ = finder.find("a late parcel", 5)
    assert (first.record, first.ended, first.cases) == ("r1", None, 1)
    assert "r1" not in [each.record for each in finder.find("a late parcel", 5, "r1")]
    for number in range(4):
        source = {**cases(client, settings)["r1"], "record": f"x{number}", "ended": number > 0}
        client.index(index=settings.cases(), id=f"x{number}", document=source, refresh=True)
    first, *_ = finder.find("a late parcel", 5)
    assert (first.cases, first.ended) == (5, 0.8)
    assert first.interval[0] < 0.8 < first.interval[1]
    (worded, *_) = CaseFinder(client, settings, None).find("late parcel", 5)
    assert worded.similarity is None


def test_rows_are_read_and_refused_by_line(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text(
        "id,source,reply,status,resolved_at\nT-1,web,Sent.,Solved,2026-11-20T09:30:00Z\nT-2,web,,x,\n", "utf-8"
    )
    (first, found), (second, problem) = read_resolutions(path, NOW_MS)
    assert (first, found.outcome, found.at, len(found.record)) == (2, "solved", AT, 64)
    assert (second, str(problem)) == (3, "answer is missing")
    (path := tmp_path / "r.jsonl").write_text(json.dumps({"record": "a", "answer": "b", "outcome": "c"}) + "\n[]\n{x")
    kinds = [type(row) for _, row in read_resolutions(path, NOW_MS)]
    assert kinds == [Resolution, InvalidRecord, InvalidRecord]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_tables_of_office_programs_are_read(tmp_path, encoding):
    path = tmp_path / "r.csv"
    row = "T-1;已经为您办理退款，请在三个工作日内查收;solved;2026-11-20"
    path.write_text(f"sep=;\nid;answer;outcome;at\n{row}\nT-2;;solved;\n", encoding)
    (first, found), (second, problem) = read_resolutions(path, NOW_MS)
    assert (first, found.answer) == (3, "已经为您办理退款，请在三个工作日内查收")
    assert (second, str(problem)) == (4, "answer is missing")


@pytest.mark.parametrize(
    ("at", "read"),
    [
        ("2026-11-20", "2026-11-19T16:00:00.000Z"),
        ("2026-11-20T17:30:00", AT),
        ("2026/11/20 17:30", AT),
        ("2026-11-20T09:30:00+00:00", AT),
        (1_795_167_000_000, AT),
        ("NULL", "2026-11-22T09:30:00.000Z"),
    ],
)
def test_times_without_an_offset_are_in_the_zone_of_the_source(at, read):
    asked = []

    def zone_of(channel, source):
        asked.append((channel, source))
        return ZoneInfo("Asia/Shanghai")

    fields = {"id": "T-1", "source": "jd", "answer": "b", "outcome": "c", "at": at}
    assert resolution_of(fields, NOW_MS, zone_of).at == read
    assert asked == [("complaint", "jd")]


def test_times_ahead_are_now_and_bad_fields_are_named():
    fields = {"record": "a", "answer": "b", "outcome": "c"}
    assert resolution_of({**fields, "at": "2030-01-01T00:00:00Z"}, NOW_MS).at == "2026-11-22T09:30:00.000Z"
    for name, value in (("at", "yesterday"), ("at", "03/04/2026"), ("answer", "x" * 20_001), ("channel", "fax")):
        given = {**fields, name: value} | ({"record": "", "id": "1"} if name == "channel" else {})
        with pytest.raises(InvalidRecord) as caught:
            resolution_of(given, NOW_MS)
        assert caught.value.field == name
