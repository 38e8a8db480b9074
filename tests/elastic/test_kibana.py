"""Saved objects of Kibana: what they are about, how they are imported, and what happens when that fails."""

import base64
import json
import re
from email import message_from_bytes, policy

import pytest
from scripted_http import ScriptedServer

from triage.cli.main import main
from triage.config import ElasticsearchSettings
from triage.elastic.kibana import Kibana
from triage.elastic.kibana_objects import ndjson, saved_objects
from triage.elastic.mapping import alert_mapping, enriched_mapping, field_paths
from triage.errors import AccessDenied, ConfigError, DependencyError, Unavailable

SETTINGS = ElasticsearchSettings()
OBJECTS = saved_objects(SETTINGS)
RECORDS = "___records___"
TEXT = {"type": "text"}


def fields(mapping):
    return dict(field_paths(mapping["properties"]))


MAPPINGS = {
    "triage-feedback-data": fields(enriched_mapping(TEXT)),
    "triage-feedback-alerts-data": fields(alert_mapping(TEXT)),
}


def queries(value):
    """Every KQL query within an object."""
    if isinstance(value, dict):
        if value.get("language") == "kuery":
            yield value["query"]
        for inner in value.values():
            yield from queries(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from queries(inner)
    elif isinstance(value, str) and value.startswith(("[", "{")):
        yield from queries(json.loads(value))


def uses(item):
    """(data view, field, whether it is counted by value) of everything that an object names."""
    views = [reference["id"] for reference in item["references"] if reference["type"] == "index-pattern"]
    view = item["id"] if item["type"] == "index-pattern" else views[0]
    for query in queries(item["attributes"]):
        for field in re.findall(r"([\w@.]+)\s*:", query):
            yield view, field, False
    if item["type"] == "dashboard":
        yield from controls(item)
    else:
        for field, grouped in {"index-pattern": of_view, "search": of_search, "lens": of_chart}[item["type"]](
            item["attributes"]
        ):
            yield view, field, grouped


def of_view(attributes):
    for field in [attributes["timeFieldName"], *json.loads(attributes["fieldFormatMap"])]:
        yield field, False


def of_search(attributes):
    for field in [*attributes["columns"], *(field for field, _ in attributes["sort"])]:
        yield field, False


def of_chart(attributes):
    for layer in attributes["state"]["datasourceStates"]["formBased"]["layers"].values():
        for column in layer["columns"].values():
            yield column["sourceField"], column["operationType"] == "terms"


def controls(item):
    for name, control in json.loads(item["attributes"]["controlGroupInput"]["panelsJSON"]).items():
        (view,) = [r["id"] for r in item["references"] if r["name"] == f"controlGroup_{name}:optionsListDataView"]
        yield view, control["explicitInput"]["fieldName"], True


@pytest.mark.parametrize("item", OBJECTS, ids=lambda item: item["id"])
def test_every_field_is_in_the_mapping_and_can_be_used_so(item):
    named = list(uses(item))
    assert named
    for view, field, grouped in named:
        if field != RECORDS:
            assert field in MAPPINGS[view], field
            assert not grouped or MAPPINGS[view][field]["type"] in {"keyword", "boolean"}, field


@pytest.mark.parametrize("item", OBJECTS, ids=lambda item: item["id"])
def test_charts_hold_together(item):
    if item["type"] != "lens":
        return
    state = item["attributes"]["state"]
    ((layer_id, layer),) = state["datasourceStates"]["formBased"]["layers"].items()
    assert sorted(layer["columnOrder"]) == sorted(layer["columns"])
    buckets = [layer["columns"][name]["isBucketed"] for name in layer["columnOrder"]]
    assert buckets == sorted(buckets, reverse=True)
    shown = json.dumps(state["visualization"])
    assert all(f'"{name}"' in shown for name in layer["columns"])
    assert layer_id in shown
    for column in layer["columns"].values():
        if column["operationType"] == "terms":
            assert not layer["columns"][column["params"]["orderBy"]["columnId"]]["isBucketed"]
    numeric = {"float", "double", "long"}
    view = item["references"][0]["id"]
    for column in layer["columns"].values():
        if column["operationType"] in {"average", "max", "sum"}:
            assert MAPPINGS[view][column["sourceField"]]["type"] in numeric
        if column["operationType"] == "date_histogram":
            assert MAPPINGS[view][column["sourceField"]]["type"] == "date"


def test_ids_are_unique_and_references_lead_to_objects_before():
    seen = set()
    for item in OBJECTS:
        for reference in item["references"]:
            assert (reference["type"], reference["id"]) in seen, item["id"]
        assert (item["type"], item["id"]) not in seen
        seen.add((item["type"], item["id"]))
    titles = [item["attributes"]["title"] for item in OBJECTS if item["type"] == "dashboard"]
    assert titles == [
        "triage: overview",
        "triage: complaints by intent and product",
        "triage: spikes",
        "triage: data quality",
    ]


def test_panels_fit_the_grid_and_do_not_overlap():
    for item in OBJECTS:
        if item["type"] == "dashboard":
            taken = set()
            for panel in json.loads(item["attributes"]["panelsJSON"]):
                grid = panel["gridData"]
                cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"])
                         for y in range(grid["y"], grid["y"] + grid["h"])}  # fmt: skip
                assert grid["x"] + grid["w"] <= 48
                assert not taken & cells
                taken |= cells


def test_two_deployments_share_a_kibana():
    other = saved_objects(ElasticsearchSettings(index_prefix="shop", alerts_index="shop_alerts"))
    assert not {item["id"] for item in OBJECTS} & {item["id"] for item in other}
    assert [item["attributes"]["title"] for item in other[:2]] == ["shop", "shop_alerts"]


class FakeKibana:
    """Answers export and import as Kibana does, and keeps what it was given."""

    def __init__(self, space=""):
        self.space, self.there, self.sent = space, {}, []
        self.server = ScriptedServer(self.answer)

    def answer(self, sent):
        assert sent.method == "POST"
        assert "kbn-xsrf" in {name.lower() for name in sent.headers}
        self.sent.append(sent)
        path = sent.path.partition("?")[0]
        if path == f"{self.space}/api/saved_objects/_export":
            wanted = [(item["type"], item["id"]) for item in json.loads(sent.body)["objects"]]
            missing = [key for key in wanted if key not in self.there]
            if missing:
                objects = [{"type": kind, "id": name, "error": {"statusCode": 404}} for kind, name in missing]
                return 400, {"message": "Error fetching objects to export", "attributes": {"objects": objects}}
            return 200, ndjson(self.there[key] for key in wanted), {"content-type": "application/ndjson"}
        if path == f"{self.space}/api/saved_objects/_import":
            assert sent.path.endswith("?overwrite=true")
            content_type = {name.lower(): value for name, value in sent.headers.items()}["content-type"]
            form = message_from_bytes(f"content-type: {content_type}\n\n".encode() + sent.body, policy=policy.HTTP)
            (part,) = form.iter_parts()
            assert part.get_filename().endswith(".ndjson")
            for line in part.get_payload(decode=True).decode().splitlines():
                item = json.loads(line)
                # Kibana adds what it knows of an object.
                self.there[item["type"], item["id"]] = item | {"version": "WzEsMV0=", "updated_at": "2026-11-22"}
            return 200, {"success": True, "successCount": len(self.there)}
        return 404, {"message": "Not Found"}


@pytest.fixture
def fake():
    kibana = FakeKibana()
    yield kibana
    kibana.server.close()


def connect(url, clock, **settings):
    return Kibana(url, ElasticsearchSettings(start_timeout_s=5, **settings), clock)


def test_what_is_missing_is_created_and_then_there_is_nothing_to_do(fake, clock):
    with connect(fake.server.url, clock) as kibana:
        plan = kibana.plan(OBJECTS)
        assert [change.kind for change in plan] == ["create"] * len(OBJECTS)
        assert plan[0].target == "Kibana data view 'triage: Feedback'"
        assert fake.there == {}
        kibana.apply(OBJECTS)
        assert len(fake.there) == len(OBJECTS)
        assert kibana.plan(OBJECTS) == ()


def test_what_a_person_changed_is_an_update_that_names_it(fake, clock):
    board = next(item for item in OBJECTS if item["type"] == "dashboard")
    with connect(fake.server.url, clock) as kibana:
        kibana.apply(OBJECTS)
        theirs = fake.there["dashboard", board["id"]]
        panels = json.loads(theirs["attributes"]["panelsJSON"])
        panels.pop()
        fake.there["dashboard", board["id"]] = theirs | {
            "attributes": theirs["attributes"] | {"panelsJSON": json.dumps(panels), "title": "mine"}
        }
        (change,) = kibana.plan(OBJECTS)
        assert change.kind == "update"
        assert change.details == ("title", "panelsJSON")
        kibana.apply(OBJECTS)
        assert kibana.plan(OBJECTS) == ()


def test_additions_and_json_formatting_by_kibana_are_not_differences(fake, clock):
    with connect(fake.server.url, clock) as kibana:
        kibana.apply(OBJECTS)
        for item in fake.there.values():
            attributes = item["attributes"]
            for name, value in attributes.items():
                if isinstance(value, str) and value.startswith(("[", "{")):
                    attributes[name] = json.dumps(json.loads(value), indent=2)
            attributes["allowHidden"] = False
        assert kibana.plan(OBJECTS) == ()


def test_space_and_credentials(clock):
    fake = FakeKibana("/s/complaints")
    try:
        with connect(f"{fake.server.url}/s/complaints/", clock, username="ann", password="pw") as kibana:
            kibana.apply(OBJECTS)
        with connect(f"{fake.server.url}/s/complaints", clock, api_key="a2V5") as kibana:
            assert kibana.plan(OBJECTS) == ()
        given = [{name.lower(): value for name, value in sent.headers.items()}["authorization"] for sent in fake.sent]
        assert given == [f"Basic {base64.b64encode(b'ann:pw').decode()}", "ApiKey a2V5"]
        with connect(f"{fake.server.url}/s/other", clock) as kibana, pytest.raises(ConfigError, match="no such space"):
            kibana.plan(OBJECTS)
    finally:
        fake.server.close()


@pytest.fixture
def answering():
    servers = []

    def start(answer):
        servers.append(ScriptedServer(answer))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ((401, {"message": "unable to authenticate"}), AccessDenied, "elasticsearch.username"),
        ((403, {"message": "Unable to bulk_create"}), AccessDenied, "Saved Objects Management"),
        ((302, b"", {"location": "/login"}), ConfigError, "/login"),
        ((404, {"message": "Not Found"}), ConfigError, "no such space"),
        ((200, b"<html>a proxy</html>"), ConfigError, "not Kibana"),
        ((400, {"message": "Request must contain a kbn-xsrf header."}), DependencyError, "kbn-xsrf"),
        ((413, {"message": "Payload too large"}), DependencyError, "413 Payload too large"),
        ((503, {"message": "Kibana server is not ready yet"}), Unavailable, "not ready yet"),
        (None, Unavailable, "does not answer"),
    ],
)
def test_failures_are_translated_to_errors(answering, clock, answer, error, says):
    url = answering(lambda sent: answer)
    for call in ("plan", "apply"):
        with connect(url, clock) as kibana, pytest.raises(error, match=re.escape(says)):
            getattr(kibana, call)(OBJECTS)


def test_a_kibana_that_starts_is_waited_for(fake, answering, clock):
    answers = [(503, {"message": "Kibana server is not ready yet"}), None]
    url = answering(lambda sent: answers.pop(0) if answers else fake.answer(sent))
    before = clock.monotonic()
    with connect(url, clock) as kibana:
        assert len(kibana.plan(OBJECTS)) == len(OBJECTS)
    assert clock.monotonic() - before == 4


def test_objects_that_kibana_refuses_are_named(answering, clock):
    errors = [
        {"type": "lens", "id": "a",
         "error": {"type": "missing_references", "references": [{"type": "index-pattern", "id": "x"}]}},
        {"type": "search", "id": "b", "error": {"type": "unknown", "message": "mapper", "statusCode": 400}},
    ]  # fmt: skip
    url = answering(lambda sent: (200, {"success": False, "successCount": 0, "errors": errors}))
    with connect(url, clock) as kibana, pytest.raises(DependencyError) as refused:
        kibana.apply(OBJECTS)
    assert "lens a: missing_references (index-pattern x); search b: unknown (mapper)" in str(refused.value)


@pytest.mark.parametrize(
    "url", ["kibana:5601", "ftp://k", "http://", "http://k:99999", "http://k?a=b", "http://ann:pw@kibana:5601"]
)
def test_no_url_of_a_kibana(url, clock):
    with pytest.raises(ConfigError, match="--kibana takes"):
        connect(url, clock)


def test_a_missing_ca_file_is_a_config_error(clock, tmp_path):
    with pytest.raises(ConfigError, match=r"elasticsearch\.ca_certs"):
        connect("https://kibana:5601", clock, ca_certs=tmp_path / "none.pem")


@pytest.mark.stack
def test_the_command_shows_and_makes_both(stack, prefix, fake, capsys):
    names = {"index_prefix": prefix, "alerts_index": f"{prefix}_alerts"}
    assignments = [part for name, value in names.items() for part in ("--set", f"elasticsearch.{name}={value}")]
    where = ["--elasticsearch", stack.elasticsearch_url, "--kibana", fake.server.url]

    def run(verb):
        with pytest.raises(SystemExit) as ended:
            main(["index", verb, *where, *assignments])
        assert ended.value.code == 0
        return capsys.readouterr().out

    shown = run("plan")
    assert f"+ create Kibana data view 'triage: Feedback ({prefix})'\n" in shown
    assert "+ create Kibana dashboard 'triage: overview'\n" in shown
    assert fake.there == {}
    assert run("apply") == shown.replace("to apply", "applied")
    assert ("dashboard", f"triage-{prefix}-spikes") in fake.there
    assert run("plan").endswith("nothing to do\n")
