"""A refused write is the document's fault only where nothing else can be; errors are those of a real 9.5 node."""

import pytest
from indices import own_settings

from triage.elastic.client import connect
from triage.elastic.index_faults import Suspicion, count_deleted, field_difference, remedy, suspicion, written
from triage.elastic.mapping import alert_mapping
from triage.errors import AccessDenied, DocumentRefused, IndexUnusable, Unavailable

MAPPING = alert_mapping({"type": "text"})
PARSING = {
    "type": "document_parsing_exception",
    "reason": "[1:9] failed to parse field [examples.at] of type [date] in document with id 'a'.",
}
SECURITY = {"type": "security_exception", "reason": "action [indices:data/write/index] is unauthorized"}


@pytest.mark.parametrize(
    ("status", "error", "size", "found"),
    [
        (400, PARSING, 10, Suspicion("examples.at")),
        (400, {"error": PARSING, "status": 400}, 10, Suspicion("examples.at")),
        (400, {"type": "x_content_parse_exception", "reason": "Failed to parse content"}, 10, Suspicion()),
        (400, PARSING | {"reason": "Malformed content, must start with an object"}, 10, Suspicion()),
        (400, PARSING | {"reason": "object mapping for [a] tried to parse field [a] as object"}, 10, None),
        (400, {"type": "strict_dynamic_mapping_exception", "reason": "dynamic introduction of [a]"}, 10, None),
        (400, {"type": "mapper_parsing_exception", "reason": "failed to parse field [a] of type [b]"}, 10, None),
        (500, PARSING, 10, None),
        (413, "", 10, None),
        (413, "", 1_048_577, Suspicion()),
    ],
)
def test_what_can_be_wrong_with_a_document(status, error, size, found):
    assert suspicion(status, error, size) == found


@pytest.mark.parametrize(
    ("field", "actual", "difference"),
    [
        ("a", {"a": {"type": "text", "analyzer": "x", "search_analyzer": "y"}}, ""),
        ("a", {"a": {"type": "keyword", "ignore_above": 9}}, "a is type keyword, ignore_above 9, not type text"),
        ("a", {"a": {"properties": {"x": {"type": "long"}}}}, "a is an object, not type text"),
        ("a", {}, "a is not mapped, not type text"),
        ("o.b", {"o": {"properties": {"b": {"type": "long"}}}}, ""),
        ("o.b", {"o": {"type": "keyword"}}, "o.b is not mapped, not type long"),
        ("a.raw", {"a": {"type": "text"}}, ""),
        ("new", {"new": {"type": "long"}}, "new is not a field of triage's mapping"),
    ],
)
def test_a_field_that_is_mapped_otherwise_is_described(field, actual, difference):
    ours = {"a": {"type": "text"}, "o": {"properties": {"b": {"type": "long"}}}}
    assert field_difference(field, {"properties": actual}, {"properties": ours}) == difference


@pytest.mark.parametrize(
    ("status", "error", "mapping", "raised"),
    [
        (400, PARSING, MAPPING, DocumentRefused),
        (400, PARSING, {"properties": {}}, IndexUnusable),
        (400, {"type": "strict_dynamic_mapping_exception", "reason": "x"}, MAPPING, IndexUnusable),
        (400, {"type": "index_closed_exception", "reason": "closed"}, MAPPING, IndexUnusable),
        (403, {"type": "cluster_block_exception", "reason": "blocked by: [FORBIDDEN/8/x]"}, MAPPING, IndexUnusable),
        (403, SECURITY, MAPPING, AccessDenied),
        (503, {"type": "unavailable_shards_exception", "reason": "x"}, MAPPING, Unavailable),
    ],
)
def test_the_write_of_one_document(serve, status, error, mapping, raised):
    def answer(sent):
        if sent.method == "GET":
            return 200, {"alerts": {"mappings": mapping}}
        return status, {"error": error, "status": status}

    settings = own_settings(serve(answer).url, "f")
    with connect(settings) as client, pytest.raises(raised) as caught, written(client, "alerts", MAPPING):
        client.index(index="alerts", id="a", document={})
    assert type(caught.value) is raised


def test_a_node_that_is_gone_is_unavailable():
    settings = own_settings("http://127.0.0.1:9", "f")
    with connect(settings) as client, pytest.raises(Unavailable) as caught, written(client, "alerts", MAPPING):
        client.index(index="alerts", id="a", document={})
    assert not isinstance(caught.value, IndexUnusable)


def test_deletions_in_overload_are_unavailable_and_all_others_name_the_fix():
    def of(status, kind):
        return {"items": [{"delete": {"_index": "i", "_id": "a", "status": status, "error": {"type": kind}}}]}

    assert count_deleted(of(404, "")) == 0
    with pytest.raises(Unavailable) as caught:
        count_deleted(of(429, "es_rejected_execution_exception"))
    assert not isinstance(caught.value, IndexUnusable)
    with pytest.raises(IndexUnusable, match="while deleting a in i; open it: POST /i/_open"):
        count_deleted(of(400, "index_closed_exception"))


def test_an_unknown_refusal_leads_to_the_plan():
    assert remedy({"type": "odd"}, "i") == "compare it with `triage index plan`, and mend it: GET /i"
