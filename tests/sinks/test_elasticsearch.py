"""How the sink takes what Elasticsearch may answer; the errors are those of a real 9.5 node."""

import json

import pytest

from triage.config import ElasticsearchSettings
from triage.elastic.client import connect
from triage.elastic.mapping import enriched_mapping
from triage.errors import AccessDenied, ConfigError, IndexUnusable, Unavailable
from triage.sinks.base import BulkResult, Document
from triage.sinks.elasticsearch import IndexSink

SHARD_LIMIT = {
    "type": "validation_exception",
    "reason": "Validation Failed: 1: this action would add [2] shards, but this cluster currently has [1000]/[1000] "
    "maximum normal shards open; for more information, see https://www.elastic.co/docs;",
}
REJECTED = {"type": "es_rejected_execution_exception", "reason": "rejected execution of coordinating operation"}
BREAKER = {"type": "circuit_breaking_exception", "reason": "[parent] Data too large, data for [<http_request>]"}
NO_SHARD = {"type": "unavailable_shards_exception", "reason": "[feedback-2026][0] primary shard is not active"}
CLOSED = {"type": "index_closed_exception", "reason": "closed"}
BLOCKED = {"type": "cluster_block_exception", "reason": "index [i] blocked by: [FORBIDDEN/8/index write (api)];"}
NOT_CREATED = {"type": "index_not_found_exception", "reason": "no such index and [action.auto_create_index] is [false]"}
CONFLICT = {"type": "version_conflict_engine_exception", "reason": "[a]: version conflict"}
STRICT = {
    "type": "strict_dynamic_mapping_exception",
    "reason": "[1:153] mapping set to strict, dynamic introduction of [language] within [_doc] is not allowed",
}
PARSING = {
    "type": "document_parsing_exception",
    "reason": "[1:430] failed to parse field [rating] of type [double] in document with id 'e'. Preview of field's "
    "value: 'Infinity'",
    "caused_by": {"type": "illegal_argument_exception", "reason": "[double] supports only finite values"},
}
MALFORMED = {
    "type": "document_parsing_exception",
    "reason": "[1:2] failed to parse: [1:10] Unexpected character ('}' (code 125)): expected a value",
    "caused_by": {"type": "x_content_parse_exception", "reason": "[1:10] Unexpected character ('}' (code 125))"},
}
TOO_MANY_FIELDS = {
    "type": "document_parsing_exception",
    "reason": "[1:60] failed to parse: Limit of total fields [3] has been exceeded while adding new fields [4]",
    "caused_by": {"type": "illegal_argument_exception", "reason": "Limit of total fields [3] has been exceeded"},
}
NOT_AN_OBJECT = {"type": "document_parsing_exception", "reason": "Malformed content, must start with an object"}
OBJECT = {
    "type": "document_parsing_exception",
    "reason": "[1:117] object mapping for [channel] tried to parse field [channel] as object, but found a concrete "
    "value",
}
TAKEN = {"type": "invalid_alias_name_exception", "reason": "Invalid alias name [feedback]: an index exists with it"}
NO_WRITE_INDEX = {
    "type": "illegal_argument_exception",
    "reason": "no write index is defined for alias [feedback-2026].",
}
NO_PIPELINE = {"type": "illegal_argument_exception", "reason": "pipeline with id [nope] does not exist"}
ROUTING = {"type": "routing_missing_exception", "reason": "routing is required for [i1]/[0]"}
FULL = {
    "type": "cluster_block_exception",
    "reason": "index [i1] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has "
    "read-only-allow-delete block];",
}
INDEX = "feedback-2026.11.22"
LARGE = 1_100_000
OK = (201, None)


class Bulk:
    """Answers `_bulk` item by item: `answer(id, number of times it was sent)` returns (status, error).

    `mapping` is that of the index, by default triage's.
    """

    def __init__(self, answer, mapping=None):
        self.answer = answer
        self.mapping = mapping or enriched_mapping({"type": "text"})
        self.requests = []
        self.times = {}

    def __call__(self, sent):
        if sent.method == "GET":
            return 200, {INDEX: {"mappings": self.mapping}}
        lines = sent.body.splitlines()
        actions = [json.loads(line)["index"] for line in lines[::2]]
        self.requests.append([action["_id"] for action in actions])
        items = []
        for action in actions:
            name = action["_id"]
            self.times[name] = self.times.get(name, 0) + 1
            status, error = self.answer(name, self.times[name])
            items.append({"index": {"status": status} | ({"error": error} if error else {})})
        return 200, {"errors": True, "items": items}


def documents(*names, size=20):
    body = json.dumps({"text": "x" * size}).encode()
    return [Document(name, "feedback-2026.11.22", 1_795_339_800_000, body) for name in names]


@pytest.fixture
def sink_on(serve, clock):
    """`sink_on(answer, **settings)`: a sink that writes to a scripted server."""
    clients = []

    def build(answer, **changes):
        server = serve(answer)
        settings = ElasticsearchSettings(url=server.url, request_timeout_s=5, **changes)
        clients.append(connect(settings))
        return IndexSink(clients[-1], settings, clock), server

    yield build
    for client in clients:
        client.close()


def test_the_request_is_one_action_and_one_source_line_a_document(sink_on):
    sink, server = sink_on(Bulk(lambda name, times: OK))
    assert sink.write(documents("a", "b")) == BulkResult(indexed=2)
    (sent,) = server.sent
    assert sent.method == "POST"
    assert sent.path.startswith("/_bulk?timeout=4000ms")
    assert sent.headers["content-type"].startswith("application/vnd.elasticsearch+x-ndjson")
    assert sent.body.endswith(b"\n")
    first, source, *_ = sent.body.splitlines()
    assert json.loads(first) == {
        "index": {
            "_index": "feedback-2026.11.22",
            "_id": "a",
            "version": 1_795_339_800_000,
            "version_type": "external_gte",
        }
    }
    assert source == documents("a")[0].body


def test_conflict_is_success_and_refusals_are_named(sink_on):
    answers = {
        "a": OK,
        "b": (409, CONFLICT),
        "c": (400, MALFORMED),
        "d": (200, None),
        "e": (400, PARSING),
        "f": (413, None),
        "g": (400, NOT_AN_OBJECT),
    }
    sink, _ = sink_on(Bulk(lambda name, times: answers[name]))
    result = sink.write([*documents(*"abcde"), *documents("f", size=LARGE), *documents("g")])
    assert (result.indexed, result.conflicts) == (2, 1)
    assert [(position, reason[:60]) for position, reason in result.rejected] == [
        (2, "document_parsing_exception: [1:2] failed to parse: [1:10] Un"),
        (4, "document_parsing_exception: [1:430] failed to parse field [r"),
        (5, "document_too_large: larger than http.max_content_length"),
        (6, "document_parsing_exception: Malformed content, must start wi"),
    ]


FAULTS_OF_THE_INDEX = [
    (400, STRICT, "triage index apply"),
    (400, OBJECT, "reindex feedback-2026.11.22"),
    (400, TOO_MANY_FIELDS, "total_fields.limit"),
    (400, TAKEN, "an index has the name that the alias needs"),
    (400, NO_WRITE_INDEX, "is_write_index"),
    (400, NO_PIPELINE, "create the pipeline"),
    (400, ROUTING, "triage index plan"),
    (400, SHARD_LIMIT, "max_shards_per_node"),
    (400, CLOSED, "POST /feedback-2026.11.22/_open"),
    (403, BLOCKED, "index.blocks.write"),
    (429, FULL, "free disk space"),
    (404, NOT_CREATED, "auto_create_index"),
    (413, None, "http.max_content_length, or the limit of a proxy"),
]


@pytest.mark.parametrize(
    ("status", "error", "fix"),
    FAULTS_OF_THE_INDEX,
    ids=[f"{s}-{(e or {}).get('type')}" for s, e, _ in FAULTS_OF_THE_INDEX],
)
def test_what_the_index_is_at_fault_for_waits_with_the_fix_and_no_document_is_rejected(sink_on, status, error, fix):
    bulk = Bulk(lambda name, times: (status, error) if name == "b" and times == 1 else OK)
    sink, _ = sink_on(bulk)
    with pytest.raises(IndexUnusable, match=r"index feedback-2026\.11\.22 does not take good documents") as raised:
        sink.write(documents(*"abc"))
    assert fix in str(raised.value)
    assert raised.value.index == INDEX
    assert sink.write(documents(*"abc")) == BulkResult(indexed=3)


def test_a_value_that_a_field_refuses_is_the_documents_fault_only_where_the_field_is_mapped_as_here(sink_on):
    mapping = enriched_mapping({"type": "text"})
    mapping["properties"]["rating"] = {"type": "integer"}
    bulk = Bulk(lambda name, times: (400, PARSING) if name == "b" else OK, mapping)
    sink, _ = sink_on(bulk)
    with pytest.raises(IndexUnusable, match="rating is type integer, not type double"):
        sink.write(documents(*"abc"))
    del mapping["properties"]["rating"]
    with pytest.raises(IndexUnusable, match="rating is not mapped, not type double"):
        sink.write(documents(*"abc"))
    mapping["properties"]["rating"] = {"type": "double"}
    assert sink.write(documents(*"abc")).rejected[0][0] == 1


def test_without_the_right_to_see_the_mapping_no_document_is_rejected(sink_on):
    def answer(sent):
        if sent.method == "GET":
            return 403, {"error": {"type": "security_exception", "reason": "action [indices:admin/mappings/get]"}}
        return bulk(sent)

    bulk = Bulk(lambda name, times: (400, PARSING))
    sink, _ = sink_on(answer)
    with pytest.raises(IndexUnusable, match=r"view_index_metadata on feedback-2026\.11\.22"):
        sink.write(documents("a"))


OVERLOADS = [
    (429, REJECTED),
    (429, BREAKER),
    (503, NO_SHARD),
    (500, {"type": "i_o_exception", "reason": "No space left on device"}),
]
NAMES = [f"{status}-{error['type']}" for status, error in OVERLOADS]


@pytest.mark.parametrize("overload", OVERLOADS, ids=NAMES)
def test_an_overload_that_passes_is_waited_out_for_the_refused_only(sink_on, clock, overload):
    bulk = Bulk(lambda name, times: overload if name == "b" and times < 3 else OK)
    sink, _ = sink_on(bulk)
    assert sink.write(documents(*"abc")) == BulkResult(indexed=3)
    assert bulk.requests == [["a", "b", "c"], ["b"], ["b"]]
    assert clock.monotonic() == pytest.approx(0.2 + 0.4)


@pytest.mark.parametrize("overload", OVERLOADS, ids=NAMES)
def test_an_overload_that_stays_is_unavailable_never_a_refusal(sink_on, overload):
    bulk = Bulk(lambda name, times: overload if name == "b" else (400, MALFORMED) if name == "c" else OK)
    sink, _ = sink_on(bulk, bulk_retries=2)
    with pytest.raises(Unavailable, match=r"refused 1 of 3 documents 3 times") as raised:
        sink.write(documents(*"abc"))
    assert overload[1]["type"] in str(raised.value)
    bulk.answer = lambda name, times: (400, MALFORMED) if name == "c" else OK
    assert [position for position, _ in sink.write(documents(*"abc")).rejected] == [2]


def test_later_documents_of_a_refused_id_are_repeated_in_order(sink_on):
    bulk = Bulk(lambda name, times: (429, REJECTED) if name == "a" and times == 1 else OK)
    sink, server = sink_on(bulk)
    versions = [Document("a", "i", 5, b'{"text":"one"}'), *documents("b"), Document("a", "i", 5, b'{"text":"two"}')]
    assert sink.write(versions) == BulkResult(indexed=3)
    assert bulk.requests == [["a", "b", "a"], ["a", "a"]]
    assert [json.loads(line)["text"] for line in server.sent[1].body.splitlines()[1::2]] == ["one", "two"]


def test_requests_hold_at_most_bulk_bytes_and_at_least_one_document(sink_on):
    bulk = Bulk(lambda name, times: OK)
    sink, server = sink_on(bulk, bulk_bytes=10_000)
    result = sink.write([*documents(*"abcdefgh", size=3_000), *documents("large", size=50_000), *documents("z")])
    assert result.indexed == 10
    assert bulk.requests == [["a", "b", "c"], ["d", "e", "f"], ["g", "h"], ["large"], ["z"]]
    assert all(len(sent.body) <= 10_000 for sent in server.sent if b"large" not in sent.body)


def test_429_halves_the_request_and_success_lets_it_grow_back(sink_on):
    state = {"most": 200_000}

    def answer(sent):
        if len(sent.body) > state["most"]:
            return 429, {"error": REJECTED, "status": 429}
        return bulk(sent)

    bulk = Bulk(lambda name, times: OK)
    sink, server = sink_on(answer, bulk_bytes=1_000_000)
    many = documents(*(f"d{n}" for n in range(90)), size=10_000)
    assert sink.write(many).indexed == 90
    # A refusal ends its pass: the rest is not pressed on a cluster that asks for a pause.
    sizes = [len(sent.body) // 100_000 for sent in server.sent]
    assert sizes[:4] == [9, 4, 2, 1]
    assert set(sizes[4:]) <= {0, 1, 2}
    assert sorted(name for names in bulk.requests for name in names) == sorted(entry.id for entry in many)
    assert sink.limit_bytes <= 250_000

    state["most"] = 10_000_000
    for _ in range(60):
        sink.write(many)
    assert sink.limit_bytes == 1_000_000


def test_a_request_that_is_too_large_is_halved_and_only_the_large_document_refused(sink_on):
    def answer(sent):
        # As the real node: an empty body.
        return (413, b"", {"x-elastic-product": None}) if len(sent.body) > 20_000 else bulk(sent)

    bulk = Bulk(lambda name, times: OK)
    sink, _ = sink_on(answer)
    result = sink.write([*documents("a", "b"), *documents("large", size=LARGE), *documents("c", "d", size=9_000)])
    assert result.indexed == 4
    assert result.rejected == [(2, "document_too_large: larger than http.max_content_length")]


def test_one_document_that_spoils_the_whole_request_is_found(sink_on):
    def answer(sent):
        if b'"spoilt"' in sent.body:
            error = {"type": "action_request_validation_exception", "reason": "Validation Failed: 1: id is too long"}
            return 400, {"error": {"root_cause": [error], **error}, "status": 400}
        return bulk(sent)

    bulk = Bulk(lambda name, times: OK)
    sink, _ = sink_on(answer)
    # The id is triage's own: nothing in the document can be at fault.
    with pytest.raises(IndexUnusable, match="400 action_request_validation_exception: Validation Failed: 1: id is too"):
        sink.write(documents(*"abcde", "spoilt", *"fgh"))
    assert sorted(name for names in bulk.requests for name in names) == sorted("abcdefgh")


@pytest.mark.parametrize(
    ("answered", "error"),
    [
        ((401, {"error": {"type": "security_exception", "reason": "unable to authenticate"}}), AccessDenied),
        ((403, {"error": {"type": "security_exception", "reason": "action [indices:data/write/bulk]"}}), AccessDenied),
        ((503, {"error": {"type": "cluster_block_exception", "reason": "no master"}}), Unavailable),
        ((502, b"<html>", {"content-type": "text/html", "x-elastic-product": None}), Unavailable),
        ((504, {"error": "timeout"}), Unavailable),
        ((403, {"error": {"type": "cluster_block_exception", "reason": "cluster read-only (api)"}}), Unavailable),
        ((400, {"error": {"type": "media_type_header_exception", "reason": "Invalid media-type"}}), ConfigError),
        (None, Unavailable),
    ],
)
def test_answers_to_the_whole_request(sink_on, answered, error):
    sink, _ = sink_on(lambda sent: answered, bulk_retries=0)
    with pytest.raises(error):
        sink.write(documents("a", "b"))


def test_a_document_that_may_not_be_written_is_access_denied(sink_on):
    denied = (403, {"type": "security_exception", "reason": "action [indices:admin/auto_create] is unauthorized"})
    sink, _ = sink_on(Bulk(lambda name, times: denied))
    with pytest.raises(AccessDenied, match="auto_create"):
        sink.write(documents("a"))


def test_a_node_that_is_gone_is_unavailable(clock):
    settings = ElasticsearchSettings(url="http://127.0.0.1:9")
    with connect(settings) as client, pytest.raises(Unavailable, match="refused"):
        IndexSink(client, settings, clock).write(documents("a"))


def test_no_answer_in_time_is_unavailable(serve, clock):
    import threading

    release = threading.Event()

    def answer(sent):
        release.wait(5)
        return 200, {"errors": False, "items": []}

    settings = ElasticsearchSettings(url=serve(answer).url, request_timeout_s=0.2)
    with connect(settings) as client, pytest.raises(Unavailable, match="no answer in time"):
        IndexSink(client, settings, clock).write(documents("a"))
    release.set()


def test_a_refused_request_far_below_the_limit_is_halved_too(sink_on):
    def answer(sent):
        if len(sent.body) > 100_000:
            return 429, {"error": REJECTED, "status": 429}
        return bulk(sent)

    bulk = Bulk(lambda name, times: OK)
    sink, server = sink_on(answer, bulk_bytes=5_000_000)
    assert sink.write(documents(*(f"d{n}" for n in range(30)), size=10_000)).indexed == 30
    assert [len(sent.body) // 100_000 for sent in server.sent[:3]] == [3, 1, 0]
