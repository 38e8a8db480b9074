"""Every read refuses a response about a part of the data, or notes what is missing where that is asked for."""

import asyncio
import json
import threading

import pytest
from indices import own_settings

from triage.clock import parse_rfc3339
from triage.elastic import documents
from triage.elastic.aggregations import event_time_range
from triage.elastic.client import connect
from triage.elastic.completeness import Gaps, noting, shortfall
from triage.elastic.history import read_history
from triage.elastic.naming import may_hold
from triage.elastic.reading import count, read_document, read_documents, refresh, run_search
from triage.errors import AccessDenied, Unavailable
from triage.schemas.version import with_offset

WHOLE = {"total": 2, "successful": 2, "skipped": 1, "failed": 0}
FAILED = {
    "total": 2,
    "successful": 1,
    "failed": 1,
    "failures": [{"index": "f-2026", "reason": {"type": "no_shard_available_action_exception", "reason": None}}],
}
HITS = {"hits": {"hits": []}, "count": 3, "timed_out": False}
# As a real 9.5 node says it.
REJECTED = {
    "error": {
        "root_cause": [],
        "type": "search_phase_execution_exception",
        "reason": "",
        "caused_by": {
            "type": "search_phase_execution_exception",
            "reason": "Search rejected due to missing shards [[f-2026][0]].",
        },
    },
    "status": 503,
}
CLOSED = {"error": {"type": "index_closed_exception", "reason": "closed", "index": "f-2026.11.20"}, "status": 400}
ABSENT = {"error": {"type": "index_not_found_exception", "reason": "no such index [f]", "index": "f"}, "status": 404}
RESOLVED = {
    "aliases": [{"name": "f", "indices": ["f-2026.11.20", "f-2026.11.21"]}],
    "indices": [
        {"name": "f-2026.11.20", "attributes": ["closed"]},
        {"name": "f-2026.11.21", "attributes": ["open"]},
    ],
}


@pytest.fixture
def client_of(serve):
    clients = []

    def build(answer):
        server = serve(answer)
        clients.append(connect(own_settings(server.url, "f")))
        return clients[-1], server

    yield build
    for client in clients:
        client.close()


def with_a_closed_index(sent):
    if "_resolve" in sent.path:
        return 200, RESOLVED
    return (200, HITS | {"_shards": WHOLE}) if "ignore_unavailable=true" in sent.path else (400, CLOSED)


def test_a_search_asks_for_all_shards_unless_gaps_are_noted(client_of):
    client, server = client_of(lambda sent: (200, HITS | {"_shards": WHOLE}))
    run_search(client, "f", size=0)
    with noting() as gaps:
        run_search(client, "f", size=0)
    assert ["allow_partial_search_results=" + each for each in ("false", "true")] == [
        next(part for part in sent.path.split("?")[1].split("&") if part.startswith("allow")) for sent in server.sent
    ]
    assert not gaps


def test_a_search_that_elasticsearch_rejects_for_missing_shards_says_which(client_of):
    client, _ = client_of(lambda sent: (503, REJECTED))
    with pytest.raises(Unavailable, match=r"missing shards \[\[f-2026\]\[0\]\]"):
        run_search(client, "f", size=0)


def test_failed_shards_are_refused_or_noted_with_their_index(client_of):
    client, _ = client_of(lambda sent: (200, HITS | {"_shards": FAILED}))
    for read in (lambda: run_search(client, "f"), lambda: count(client, "f", {}), lambda: refresh(client, "f")):
        with pytest.raises(
            Unavailable, match=r"1 of 2 shards failed \(no_shard_available_action_exception\) of f-2026"
        ):
            read()
    with noting() as gaps:
        assert count(client, "f", {}) == 3
        run_search(client, "f")
        run_search(client, "f")
    assert [gap.partition(":")[0] for gap in gaps] == ["counting in f", "searching f"]


def test_remote_clusters_that_were_passed_over_are_a_shortfall():
    clusters = {"total": 2, "successful": 1, "skipped": 1, "partial": 0, "failed": 0}
    assert shortfall({"_shards": WHOLE, "_clusters": clusters}) == "1 of 2 remote clusters did not answer in full"
    assert shortfall({"_shards": WHOLE, "timed_out": True}).startswith("the time was up")
    assert shortfall({"_shards": WHOLE}) == ""


def test_a_closed_index_is_refused_or_named(client_of):
    client, _ = client_of(with_a_closed_index)
    with pytest.raises(Unavailable, match=r"(?s)would pass over:.*f-2026\.11\.20: it is closed; open it: POST /f-2026"):
        run_search(client, "f")
    with noting() as gaps:
        assert count(client, "f", {"match_all": {}}) == 3
    assert list(gaps) == ["index f-2026.11.20: it is closed; open it: POST /f-2026.11.20/_open"]


@pytest.mark.parametrize(
    ("start", "end", "missing"),
    [
        ("2026-11-21T00:00:00.000Z", "2026-11-22T00:00:00.000Z", False),
        ("2026-11-20T23:59:00.000Z", "2026-11-22T00:00:00.000Z", True),
        (None, "2026-11-19T12:00:00.000Z", False),
        ("2026-11-19T12:00:00.000Z", None, True),
    ],
)
def test_a_closed_index_of_another_time_is_no_gap(client_of, start, end, missing):
    client, _ = client_of(with_a_closed_index)
    bounds = [None if at is None else parse_rfc3339(at) for at in (start, end)]
    inner = {"bool": {"filter": [{"bool": {"filter": event_time_range(*bounds)}}]}}
    query = {"function_score": {"query": inner, "random_score": {}}}
    with noting() as gaps:
        run_search(client, "f", query=query)
    assert bool(gaps) is missing


def test_a_closed_index_that_may_not_be_seen_is_named_as_elasticsearch_names_it(client_of):
    def answer(sent):
        if "_resolve" in sent.path:
            return 200, {"aliases": [], "indices": []}
        return with_a_closed_index(sent)

    client, _ = client_of(answer)
    with pytest.raises(Unavailable, match=r"f-2026\.11\.20: it is closed"):
        run_search(client, "f", query={"bool": {"filter": event_time_range(0, 1)}})


def test_an_index_that_does_not_exist_yet_is_empty_and_a_missing_right_is_an_error(client_of):
    client, _ = client_of(lambda sent: (404, ABSENT))
    assert run_search(client, "f")["hits"]["hits"] == []
    assert count(client, "f", {}) == 0
    denied, _ = client_of(lambda sent: (403, {"error": {"type": "security_exception", "reason": "no"}, "status": 403}))
    with pytest.raises(AccessDenied):
        run_search(denied, "f")


def test_a_document_that_cannot_be_read_is_not_taken_for_a_missing_one(client_of):
    errors = {"gone": {"type": "index_not_found_exception", "reason": "no such index"}}

    def answer(sent):
        docs = json.loads(sent.body)["docs"]
        found = {"_version": 4, "found": True, "_source": {}}
        return 200, {
            "docs": [
                {key: each[key] for key in ("_index", "_id")}
                | ({"error": errors[each["_id"]]} if each["_id"] in errors else found)
                for each in docs
            ]
        }

    client, _ = client_of(answer)
    items = [("f-2026", "a"), ("f-2025", "gone")]
    assert documents.current(client, items) == {("f-2026", "a"): (with_offset(4), {})}
    errors["a"] = {"type": "index_closed_exception", "reason": "closed"}
    with pytest.raises(Unavailable, match="reading f-2026/a: index_closed_exception"):
        documents.current(client, items)
    assert read_documents(client, []) == []


def test_one_document_is_found_or_not(client_of):
    client, _ = client_of(lambda sent: (200, {"found": True, "_id": "a", "_source": {"x": 1}}))
    assert read_document(client, "f", "a")["_source"] == {"x": 1}
    client, _ = client_of(lambda sent: (404, {"found": False}))
    assert read_document(client, "f", "a") is None


def test_gaps_are_noted_by_calls_on_another_thread_and_not_by_others(client_of):
    client, _ = client_of(lambda sent: (200, HITS | {"_shards": FAILED}))

    async def page():
        with noting() as gaps:
            await asyncio.to_thread(run_search, client, "f")
        return gaps

    assert len(list(asyncio.run(page()))) == 1
    failures = []

    def other():
        try:
            run_search(client, "f")
        except Unavailable as error:
            failures.append(error)

    with noting(Gaps()):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(failures) == 1


def test_the_history_is_not_read_past_an_index_without_the_alias(serve):
    resolved = RESOLVED | {"aliases": [{"name": "f", "indices": ["f-2026.11.20"]}]}
    settings = own_settings(serve(lambda sent: (200, resolved)).url, "f")
    start, end = (parse_rfc3339(f"2026-11-2{day}T00:00:00.000Z") for day in (1, 2))
    with connect(settings) as client, pytest.raises(Unavailable, match=r"2026\.11\.21: it is not behind the alias f"):
        list(read_history(client, settings, ["channel"], {}, start, end, 300))


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("f-2026.11.20", True),
        ("f-2026.11.21", False),
        ("f-2026", True),
        ("f-2025", False),
        ("f-old", False),
        ("g", True),
    ],
)
def test_the_name_of_an_index_says_which_times_it_can_hold(name, held):
    start, end = (parse_rfc3339(f"2026-11-20T{hour}:00:00.000Z") for hour in ("05", "06"))
    assert may_hold("f", name, start, end) is held
    assert may_hold("f", name, None, None)
