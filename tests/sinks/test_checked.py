"""No document is written into an index that searches would not find, or that guesses the types of fields."""

import pytest

from triage.config import ElasticsearchSettings
from triage.elastic.client import connect
from triage.elastic.mapping import enriched_mapping
from triage.elastic.template import feedback_template_name
from triage.errors import AccessDenied, IndexUnusable, Unavailable
from triage.sinks.base import Document
from triage.sinks.checked import CheckedSink
from triage.sinks.memory import MemorySink

NAME = "feedback-2026.11.20"
DOCUMENTS = [Document("a", NAME, 1, b"{}"), Document("b", NAME, 1, b"{}")]
TEMPLATE = f"/_index_template/{feedback_template_name('feedback')}"


def state(**changes):
    return {"aliases": {"feedback": {}}, "mappings": enriched_mapping({"type": "text"}), **changes}


class Cluster:
    """Answers as Elasticsearch does about indices and the template; `denied` is status 403 for all."""

    def __init__(self, indices=None, template=True, meta=None, denied_template=True):
        self.meta = meta or {}
        self.denied_template = denied_template
        self.indices = indices or {}
        self.template = template
        self.denied = False
        self.asked = []

    def __call__(self, sent):
        path = sent.path.partition("?")[0]
        self.asked.append(f"{sent.method} {path}")
        if self.denied and (path != TEMPLATE or self.denied_template):
            return 403, {"error": {"type": "security_exception", "reason": "action [indices:admin/get]"}}
        if path == TEMPLATE:
            if not self.template:
                return 404, {"error": {"type": "resource_not_found_exception", "reason": "no template"}}
            mappings = {"template": {"mappings": enriched_mapping({"type": "text"}) | self.meta}}
            return 200, {"index_templates": [{"index_template": mappings | {"_meta": {"daily_from": "2026-10-23"}}}]}
        name = path.removeprefix("/")
        if sent.method == "PUT":
            self.indices[name] = state()
            return 200, {"acknowledged": True}
        if name in self.indices:
            return 200, {name: self.indices[name]}
        return 404, {"error": {"type": "index_not_found_exception", "reason": "no such index"}}


@pytest.fixture
def sink_on(serve, clock):
    clients = []

    def build(cluster):
        settings = ElasticsearchSettings(url=serve(cluster).url)
        clients.append(connect(settings))
        return CheckedSink(MemorySink(), clients[-1], settings, clock)

    yield build
    for client in clients:
        client.close()


def test_an_index_is_looked_at_once_in_five_minutes(sink_on, clock):
    sink = sink_on(cluster := Cluster({NAME: state()}))
    for _ in range(3):
        assert sink.write(DOCUMENTS).indexed == 2
    assert cluster.asked == [f"GET /{NAME}"]
    clock.advance(301)
    sink.write(DOCUMENTS)
    assert len(cluster.asked) == 2


def test_a_missing_index_is_created_by_its_template(sink_on):
    sink = sink_on(cluster := Cluster())
    assert sink.write(DOCUMENTS).indexed == 2
    assert cluster.asked == [f"GET /{NAME}", f"GET {TEMPLATE}", f"PUT /{NAME}", f"GET /{NAME}"]


def test_without_the_template_documents_wait_until_it_is_back(sink_on):
    sink = sink_on(cluster := Cluster(template=False))
    with pytest.raises(IndexUnusable, match=r"can't be created: .*no index template.*run `triage index apply`"):
        sink.write(DOCUMENTS)
    assert cluster.indices == {}
    cluster.template = True
    assert sink.write(DOCUMENTS).indexed == 2


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"aliases": {}}, "not behind the alias feedback"),
        ({"mappings": {"properties": enriched_mapping({"type": "text"})["properties"]}}, "it guesses the types"),
        ({"mappings": {"dynamic": "strict", "properties": {}}}, "it lacks @timestamp, "),
    ],
)
def test_an_index_that_is_not_as_needed_is_not_written_to(sink_on, changes, problem):
    sink = sink_on(cluster := Cluster({NAME: state(**changes)}))
    with pytest.raises(IndexUnusable, match=problem) as raised:
        sink.write(DOCUMENTS)
    assert raised.value.index == NAME
    assert str(raised.value).endswith("run `triage index apply`")
    cluster.indices[NAME] = state()
    assert sink.write(DOCUMENTS).indexed == 2


def test_the_name_of_the_index_may_be_an_alias_of_one_index(sink_on):
    class Renamed(Cluster):
        def __call__(self, sent):
            return 200, {"restored": state()}

    assert sink_on(Renamed()).write(DOCUMENTS).indexed == 2


def test_without_the_right_to_look_documents_are_written_unchecked_and_that_is_said_once(sink_on, capsys):
    sink = sink_on(cluster := Cluster())
    cluster.denied = True
    for _ in range(2):
        assert sink.write(DOCUMENTS).indexed == 2
    assert cluster.asked == [f"GET /{NAME}", f"GET {TEMPLATE}"]
    assert capsys.readouterr().out.count("view_index_metadata on feedback-*") == 1


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [(400, "invalid_alias_name_exception", IndexUnusable), (503, "master_not_discovered_exception", Unavailable)],
)
def test_an_index_that_cannot_be_created_is_waited_for(sink_on, status, kind, error):
    class Refusing(Cluster):
        def __call__(self, sent):
            return (
                (status, {"error": {"type": kind, "reason": "x"}}) if sent.method == "PUT" else super().__call__(sent)
            )

    with pytest.raises(error, match=kind):
        sink_on(Refusing()).write(DOCUMENTS)


WITH_OFFSETS = {"_meta": {"document_versions": "time and offset"}}


def test_without_the_right_to_look_nothing_is_written_where_versions_may_differ(sink_on):
    sink = sink_on(cluster := Cluster(meta=WITH_OFFSETS, denied_template=False))
    cluster.denied = True
    for _ in range(2):
        with pytest.raises(AccessDenied, match=r"grant view_index_metadata on feedback-\*"):
            sink.write(DOCUMENTS)
    cluster.denied = False
    assert sink.write(DOCUMENTS).indexed == 2


def test_each_index_says_whether_its_versions_hold_offsets(serve, clock):
    mapping = enriched_mapping({"type": "text"})
    server = serve(Cluster({"new": state(mappings=mapping | WITH_OFFSETS), "old": state()}))
    settings, without = ElasticsearchSettings(url=server.url), set()
    with connect(settings) as client:
        sink = CheckedSink(MemorySink(), client, settings, clock, without)
        sink.write([Document("a", "new", 1, b"{}"), Document("a", "old", 1, b"{}")])
    assert without == {"old"}
