"""Plan and apply against the stack: shown first, additive, idempotent, and nothing is ever deleted."""

import json
from datetime import date

import pytest

from triage.config import ElasticsearchSettings
from triage.elastic.client import connect
from triage.elastic.naming import read_daily_from, read_offset_versions
from triage.elastic.plan import apply, plan_index
from triage.elastic.template import feedback_template_name, versions_have_offsets
from triage.errors import ConfigError, DependencyError, Unavailable


def plan_and_apply(client, settings, clock):
    plan = plan_index(client, settings, clock)
    apply(client, plan)
    return plan


def get_template(client, settings):
    name = feedback_template_name(settings.index_prefix)
    return client.indices.get_index_template(name=name).body["index_templates"][0]["index_template"]


def mapping_of(client, index):
    return client.indices.get_mapping(index=index).body[index]["mappings"]


@pytest.mark.stack
def test_the_second_run_has_nothing_to_do(client, settings, clock):
    first = plan_index(client, settings, clock)
    assert [(change.kind, change.target) for change in first.changes][-1] == (
        "create",
        f"index {settings.knowledge()}",
    )
    assert not client.indices.exists(index=settings.alerts_index)
    apply(client, first)
    again = plan_index(client, settings, clock)
    assert not again
    assert again.changes == again.incompatible == ()


@pytest.mark.stack
def test_the_date_is_fixed_once(client, settings, clock):
    with pytest.raises(ConfigError, match="run `triage index apply`"):
        read_daily_from(client, settings)
    plan_and_apply(client, settings, clock)
    assert read_daily_from(client, settings) == date(2026, 10, 23)
    clock.advance(40 * 86_400)
    later = settings.model_copy(update={"daily_days": 5})
    assert not plan_index(client, later, clock)
    assert read_daily_from(client, later) == date(2026, 10, 23)


@pytest.mark.stack
def test_a_new_date_is_never_after_a_daily_index_that_is_there(client, settings, clock):
    client.indices.create(index=f"{settings.index_prefix}-2026.05.04")
    client.indices.create(index=f"{settings.index_prefix}-2019")
    assert plan_index(client, settings, clock).daily_from == date(2026, 5, 4)


@pytest.mark.stack
def test_an_index_that_a_write_creates_has_mapping_and_alias(client, settings, clock):
    plan_and_apply(client, settings, clock)
    index = f"{settings.index_prefix}-2026.11.22"
    client.index(index=index, id="1", document={"@timestamp": "2026-11-22T09:30:00.000Z"})
    assert mapping_of(client, index)["dynamic"] == "strict"
    assert settings.index_prefix in client.indices.get_alias(index=index).body[index]["aliases"]
    assert not plan_index(client, settings, clock)


def _put_template(client, settings, template):
    """Store a template as it was read, without the dates that the server adds to it and refuses."""
    for name in ("created_date_millis", "created_date", "modified_date_millis", "modified_date"):
        template.pop(name, None)
    client.indices.put_index_template(name=feedback_template_name(settings.index_prefix), body=template)


@pytest.mark.stack
def test_a_changed_template_is_shown_with_old_and_new_and_put_right(client, settings, clock):
    plan_and_apply(client, settings, clock)
    template = get_template(client, settings)
    template["template"]["mappings"]["properties"].pop("brand")
    template["template"]["mappings"]["properties"]["rating"] = {"type": "float"}
    _put_template(client, settings, template)
    with pytest.raises(ConfigError, match="lacks brand"):
        read_daily_from(client, settings)

    plan = plan_and_apply(client, settings.model_copy(update={"replicas": 1}), clock)
    change = plan.changes[0]
    assert change.kind == "update"
    assert set(change.details) == {
        "template.mappings.properties.brand: (none) -> {ignore_above: 1024, type: keyword}",
        "template.mappings.properties.rating.type: float -> double",
        "template.settings.index.number_of_replicas: 0 -> 1",
    }
    assert read_daily_from(client, settings) == date(2026, 10, 23)


@pytest.mark.stack
def test_an_older_index_gets_new_fields_and_the_alias_and_keeps_what_differs(client, settings, clock):
    index = f"{settings.index_prefix}-2026.11.01"
    old = {"channel": {"type": "text"}, "event": {"properties": {"id": {"type": "keyword", "ignore_above": 1024}}}}
    client.indices.create(index=index, mappings={"properties": old})
    client.index(index=index, id="1", document={"channel": "review"}, refresh=True)
    plan = plan_and_apply(client, settings, clock)

    assert any(f"index {index}: channel.type: text -> keyword" in text for text in plan.incompatible)
    details = [detail for change in plan.changes if index in change.target for detail in change.details]
    assert "event.ingested: (none) -> date" in details
    assert "sentiment.score: (none) -> float" in details
    assert "dynamic: true -> strict" in details
    assert f"alias: (none) -> {settings.index_prefix}" in details
    mapping = mapping_of(client, index)
    assert mapping["dynamic"] == "strict"
    assert mapping["properties"]["channel"] == {"type": "text"}
    assert set(mapping["properties"]["event"]["properties"]) == {"id", "ingested"}
    assert client.count(index=settings.index_prefix).body["count"] == 1
    again = plan_index(client, settings, clock)
    assert not again
    assert again.incompatible == plan.incompatible


@pytest.mark.stack
def test_an_alerts_index_gets_new_fields(client, settings, clock):
    client.indices.create(
        index=settings.alerts_index,
        mappings={"dynamic": "strict", "properties": {"rule": {"type": "keyword", "ignore_above": 1024}}},
    )
    plan = plan_and_apply(client, settings, clock)
    (change,) = [change for change in plan.changes if change.target == f"mapping of index {settings.alerts_index}"]
    assert "dimensions: (none) -> flattened" in change.details
    assert not plan_index(client, settings, clock)


@pytest.mark.stack
def test_the_indices_of_a_longer_prefix_are_left_alone(client, settings, clock):
    longer = settings.model_copy(
        update={"index_prefix": f"{settings.index_prefix}-eu", "alerts_index": f"{settings.index_prefix}_eu_alerts"}
    )
    other = f"{longer.index_prefix}-2026.11.01"
    client.indices.create(index=other, mappings={"properties": {"mine": {"type": "keyword"}}})
    try:
        plan = plan_and_apply(client, settings, clock)
        assert not any(other in change.target for change in plan.changes)
        assert set(mapping_of(client, other)["properties"]) == {"mine"}
        plan_and_apply(client, longer, clock)
        new = f"{longer.index_prefix}-2026.11.02"
        client.index(index=new, id="1", document={"@timestamp": "2026-11-02T00:00:00.000Z"})
        assert set(client.indices.get_alias(index=new).body[new]["aliases"]) == {longer.index_prefix}
    finally:
        from indices import remove

        remove(longer)


class WithIlm:
    """Just enough of an Elasticsearch with ILM: it stores what is put, and has no index of records."""

    def __init__(self):
        self.stored = {}

    def __call__(self, sent):
        path = sent.path.partition("?")[0]
        if sent.method == "PUT":
            self.stored[path] = json.loads(sent.body or b"{}")
            return 200, {"acknowledged": True}
        if path == "/_cluster/health":
            return 200, {"number_of_data_nodes": 1}
        if path in {"/_ilm/policy", "/_analyze", "/feedback-*"} or path.startswith("/_resolve"):
            return 200, {}
        if path not in self.stored:
            return 404, {"error": {"type": "resource_not_found_exception", "reason": path}}
        return 200, self.shown(path, self.stored[path])

    def shown(self, path, stored):
        name = path.rpartition("/")[2]
        if path.startswith("/_ilm"):
            return {name: {"version": 1, "modified_date": "2026-11-22T09:30:00.000Z", **stored}}
        if path.startswith("/_index_template"):
            return {"index_templates": [{"name": name, "index_template": {"composed_of": [], **stored}}]}
        template = f"triage.{name.removeprefix('feedback_')}.{name}"
        return {name: {"aliases": {}, **self.stored[f"/_index_template/{template}"]["template"]}}


def test_with_ilm_daily_indices_have_a_policy_and_yearly_ones_none(serve, clock):
    server = serve(ilm := WithIlm())
    settings = ElasticsearchSettings(url=server.url)
    with connect(settings) as client:
        plan = plan_and_apply(client, settings, clock)
        assert plan.changes[0].target == "ILM policy triage.feedback-daily.feedback"
        assert plan.notes == ()
        assert not plan_index(client, settings, clock)

        changed = plan_index(client, settings.model_copy(update={"retention_days": 30}), clock)
        assert [change.details for change in changed.changes] == [("phases.delete.min_age: 180d -> 30d",)]

    yearly = ilm.stored["/_index_template/triage.feedback.feedback"]
    daily = ilm.stored["/_index_template/triage.feedback-daily.feedback"]
    assert "lifecycle" not in yearly["template"]["settings"]["index"]
    assert daily["template"]["settings"]["index"]["lifecycle"] == {"name": "triage.feedback-daily.feedback"}
    assert daily["index_patterns"] == ["feedback-*.*.*"]
    assert daily["priority"] > yearly["priority"]
    assert daily["template"]["mappings"] == yearly["template"]["mappings"]
    policy = ilm.stored["/_ilm/policy/triage.feedback-daily.feedback"]["policy"]
    assert policy["phases"]["delete"]["min_age"] == "180d"


def test_a_conflicting_template_of_others_is_reported_in_the_servers_words(serve, clock):
    def answer(sent):
        if sent.method == "PUT" and sent.path.startswith("/_index_template"):
            return 400, {"error": {"type": "illegal_argument_exception", "reason": "please use a different priority"}}
        return ilm(sent)

    ilm = WithIlm()
    settings = ElasticsearchSettings(url=serve(answer).url)
    with connect(settings) as client, pytest.raises(DependencyError, match="please use a different priority"):
        plan_and_apply(client, settings, clock)


def test_a_change_is_made_again_while_another_node_becomes_master(serve, clock):
    refused = []

    def answer(sent):
        if sent.method == "PUT" and len(refused) < 2:
            refused.append(sent.path)
            return 503, {"error": {"type": "master_not_discovered_exception", "reason": "null"}}
        return ilm(sent)

    ilm = WithIlm()
    settings = ElasticsearchSettings(url=serve(answer).url)
    with connect(settings) as client:
        plan = plan_index(client, settings, clock)
        apply(client, plan, clock, settings.start_timeout_s)
        assert refused == 2 * ["/_ilm/policy/triage.feedback-daily.feedback"]
        assert not plan_index(client, settings, clock)


def test_without_patience_it_fails_at_once(serve, clock):
    def answer(sent):
        return (503, {"error": {"type": "master_not_discovered_exception"}}) if sent.method == "PUT" else ilm(sent)

    ilm = WithIlm()
    settings = ElasticsearchSettings(url=serve(answer).url)
    with connect(settings) as client, pytest.raises(Unavailable, match="master_not_discovered"):
        plan_and_apply(client, settings, clock)


@pytest.mark.stack
def test_a_template_not_made_by_apply_is_refused(client, settings):
    name = feedback_template_name(settings.index_prefix)
    client.indices.put_index_template(name=name, index_patterns=[f"{settings.index_prefix}-*"], priority=9)
    with pytest.raises(ConfigError, match=r"_meta\.daily_from"):
        read_daily_from(client, settings)


@pytest.mark.stack
def test_closed_and_blocked_indices_are_named_and_extended_all_the_same(client, settings, clock):
    plan_and_apply(client, settings, clock)
    shut, blocked = f"{settings.index_prefix}-2026.11.20", f"{settings.index_prefix}-2026.11.21"
    client.indices.create(index=shut)
    client.indices.close(index=shut)
    client.indices.create(index=blocked)
    client.indices.put_settings(index=blocked, settings={"index.blocks.write": True})
    plan = plan_index(client, settings, clock)
    assert f"index {shut}: it is closed; open it: POST /{shut}/_open" in plan.unusable
    assert any(note.startswith(f"index {blocked}: it has the block write; remove it: PUT") for note in plan.unusable)
    client.indices.put_settings(index=blocked, settings={"index.blocks.write": None})
    client.indices.open(index=shut)


def test_names_that_stand_for_something_else_are_refused_before_any_change(serve, clock):
    several = ["a-1", "a-2"]
    resolved = {
        "indices": [{"name": "feedback", "attributes": ["open"]}],
        "aliases": [
            {"name": "feedback-2026.11.20", "indices": several},
            {"name": "alerts", "indices": several},
            {"name": "feedback_corrections", "indices": several},
            {"name": "feedback-2026.11.21", "indices": "a-1"},
            {"name": "feedback-eu", "indices": several},
        ],
        "data_streams": [{"name": "feedback-2026"}, {"name": "feedback-eu-2026"}],
    }

    def answer(sent):
        if sent.path.startswith("/_resolve"):
            return 200, resolved
        if sent.path.startswith("/_alias/"):
            written = {"is_write_index": "alerts" in sent.path}
            name = sent.path.rpartition("/")[2]
            return 200, {"a-1": {"aliases": {name: written}}, "a-2": {"aliases": {name: {}}}}
        return ilm(sent)

    ilm = WithIlm()
    with connect(ElasticsearchSettings(url=serve(answer).url)) as client:
        plan = plan_index(client, ElasticsearchSettings(), clock)
        assert [clash.partition(":")[0] for clash in plan.clashes] == [
            "feedback is an index, but must be the alias of all records",
            "feedback-2026.11.20 is an alias of a-1, a-2, but must be an index",
            "feedback_corrections is an alias of a-1, a-2 without a write index",
            "feedback-2026 is a data stream",
        ]
        with pytest.raises(ConfigError, match="4 problems"):
            apply(client, plan)
    assert ilm.stored == {}


@pytest.mark.stack
def test_a_new_installation_orders_by_offset_and_an_older_one_once_it_is_told_to(client, settings, clock):
    first = plan_and_apply(client, settings, clock)
    assert not any("--offset-versions" in note for note in first.notes)
    assert read_offset_versions(client, settings)

    # As the version before left it.
    template = get_template(client, settings)
    del template["template"]["mappings"]["_meta"]
    _put_template(client, settings, template)
    before, after = f"{settings.index_prefix}-2026.11.21", f"{settings.index_prefix}-2026.11.22"
    plan = plan_and_apply(client, settings, clock)
    assert any("once every worker and replay runs this version" in note for note in plan.notes)
    client.indices.create(index=before)
    apply(client, plan_index(client, settings, clock, offset_versions=True))
    client.indices.create(index=after)
    apply(client, plan_index(client, settings, clock))
    found = client.indices.get(index=f"{before},{after}").body
    assert [versions_have_offsets(found[name]) for name in (before, after)] == [False, True]
    assert not plan_index(client, settings, clock), "it stays"
