"""Plans and applies changes of index templates, mappings and the retention policy. Nothing is ever deleted."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Literal

from elastic_transport import ApiError
from elasticsearch import Elasticsearch

from triage.clock import Clock, SystemClock, from_ms
from triage.config import ElasticsearchSettings
from triage.elastic.author_keys import checks_of, merged_checks
from triage.elastic.diff import differences, incompatible_properties, missing_properties
from triage.elastic.errors import cause, translated
from triage.elastic.index_state import index_state
from triage.elastic.mapping import JsonObject, field_paths
from triage.elastic.naming import belongs_to, daily_date
from triage.elastic.replicas import missing_replicas, replica_notes
from triage.elastic.template import (
    Capabilities,
    daily_template_name,
    feedback_template_name,
    index_templates,
    probe,
    retention_policy,
    single_indices,
    versions_have_offsets,
    without_analyzers,
)
from triage.errors import ConfigError
from triage.retries.until_available import until_available


@dataclass(frozen=True)
class Change:
    """One index template, policy, mapping or alias to create or update.

    `details` are `path: old -> new`, or the properties of a new object; `run` makes the change.
    """

    kind: Literal["create", "update"]
    target: str
    details: tuple[str, ...]
    run: Callable[[Elasticsearch], object] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Plan:
    """Changes that Elasticsearch needs before triage can use it.

    `changes` are applied in order. Differences in `incompatible` are only reported, because an existing index cannot be
    changed that way. `clashes` are names used for something else, so that nothing can be written; an operator must
    repair them. `unusable` are indices that are closed or blocked, `notes` features that the server lacks.
    """

    changes: tuple[Change, ...]
    incompatible: tuple[str, ...]
    notes: tuple[str, ...]
    daily_from: date
    clashes: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)


def apply(client: Elasticsearch, plan: Plan, clock: Clock | None = None, patience_s: float = 0) -> None:
    """Make the changes of a plan in Elasticsearch, in order.

    A change that finds Elasticsearch unavailable, as while another node becomes master, is made again for `patience_s`
    seconds. Raises ConfigError, before any change, if names clash. Raises Unavailable, AccessDenied or DependencyError
    if a change fails; the changes before it stay.
    """
    if plan.clashes:
        raise ConfigError(plan.clashes, where="Elasticsearch")
    clock = clock or SystemClock()
    for change in plan.changes:
        until_available(partial(_run, client, change), clock, patience_s)


def _run(client: Elasticsearch, change: Change, left_s: float) -> None:
    del left_s
    with translated():
        change.run(client)


def plan_index(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    clock: Clock,
    author_keys: Mapping[str, str] | None = None,
    demo_check: str = "",
    *,
    offset_versions: bool = False,
) -> Plan:
    """Compare the templates, mappings and retention policy in Elasticsearch with the settings; change nothing.

    `author_keys` are check values of the author keys by key version, `demo_check` that of the demo key. With
    `offset_versions`, or where nothing was written yet, versions of documents in new indices hold the offset. Raises
    Unavailable, AccessDenied, DependencyError, and ConfigError if a key is not the one that made the stored author
    hashes of its version.
    """
    prefix = settings.index_prefix
    can = probe(client)
    with translated():
        existing = client.indices.get(index=f"{prefix}-*", expand_wildcards="all").body
    indices = {name: existing[name] for name in sorted(existing) if belongs_to(prefix, name)}
    main = feedback_template_name(prefix)
    before = _template(client, main)
    daily_from = _daily_from(before, indices, settings, clock)
    checks = merged_checks(client, settings, checks_of(before), author_keys or {}, demo_check)
    ordered = offset_versions or _orders_by_offset(before, indices)
    templates = index_templates(settings, can, daily_from, checks, offset_versions=ordered)

    changes: list[Change] = []
    incompatible: list[str] = []
    if can.ilm:
        changes += _policy_change(client, settings)
    for name, body in templates.items():
        changes += _template_change(name, body, _template(client, name))
    for name, index in indices.items():
        changes += _index_change(name, index, templates[main], incompatible)
    for template, name, _ in single_indices(settings):
        changes += _single_index_change(client, name, templates[template], incompatible)
    clashes, unusable = index_state(client, settings, indices)
    with translated():
        nodes = client.cluster.health().body.get("number_of_data_nodes", 1)
    notes = (*_notes(can, settings, ordered), *replica_notes(settings.replicas, nodes))
    return Plan(tuple(changes), tuple(incompatible), notes, daily_from, clashes, unusable)


def _orders_by_offset(template: JsonObject | None, indices: Mapping[str, JsonObject]) -> bool:
    """True if the template says so, or if there can't be a worker of an earlier version, which would write times."""
    return not indices if template is None else versions_have_offsets(template["template"])


def _notes(can: Capabilities, settings: ElasticsearchSettings, ordered: bool) -> tuple[str, ...]:
    notes = []
    if not can.ilm:
        notes.append(f"no ILM on this server: daily indices are not deleted after {settings.retention_days} days")
    if not can.analysis:
        notes.append("no cjk_bigram and kstem on this server: text is searched by single characters and exact words")
    if not ordered:
        notes.append(
            "new indices do not order records of the same millisecond by offset yet: once every worker and replay runs "
            "this version, run `triage index apply --offset-versions`"
        )
    return tuple(notes)


def _daily_from(
    template: JsonObject | None, indices: Iterable[str], settings: ElasticsearchSettings, clock: Clock
) -> date:
    """The date in the template, if it is fixed; else `daily_days` ago, or the oldest daily index if that is earlier."""
    try:
        return date.fromisoformat((template or {})["_meta"]["daily_from"])
    except (KeyError, TypeError, ValueError):
        days = [day for name in indices if (day := daily_date(settings.index_prefix, name)) is not None]
        return min([from_ms(clock.now_ms()).date() - timedelta(days=settings.daily_days), *days])


def _template(client: Elasticsearch, name: str) -> JsonObject | None:
    with translated():
        response = client.options(ignore_status=404).indices.get_index_template(name=name)
    found = response.body.get("index_templates") or [] if response.meta.status == 200 else []
    return dict(found[0]["index_template"]) if found else None


def _template_change(name: str, body: JsonObject, actual: JsonObject | None) -> list[Change]:
    def put(client: Elasticsearch) -> object:
        return client.indices.put_index_template(name=name, body=body)

    if actual is None:
        details = [f"for {', '.join(body['index_patterns'])}, {_count_fields(body)} fields"]
        if day := body["_meta"].get("daily_from"):
            details.append(f"daily indices from {day} on; this date is permanent")
        return [Change("create", f"index template {name}", tuple(details), put)]
    known = {key: actual.get(key, {}) for key in body}
    changed = tuple(differences(known, body))
    return [Change("update", f"index template {name}", changed, put)] if changed else []


def _policy_change(client: Elasticsearch, settings: ElasticsearchSettings) -> list[Change]:
    name, policy = daily_template_name(settings.index_prefix), retention_policy(settings)

    def put(client: Elasticsearch) -> object:
        return client.ilm.put_lifecycle(name=name, policy=policy)

    with translated():
        response = client.options(ignore_status=404).ilm.get_lifecycle(name=name)
    if response.meta.status == 404:
        return [Change("create", f"ILM policy {name}", (f"delete after {settings.retention_days} days",), put)]
    actual = response.body[name]["policy"]
    changed = tuple(differences({"phases": actual.get("phases", {})}, policy))
    return [Change("update", f"ILM policy {name}", changed, put)] if changed else []


def _single_index_change(
    client: Elasticsearch, name: str, template: JsonObject, incompatible: list[str]
) -> list[Change]:
    with translated():
        found = client.options(ignore_status=404).indices.get(index=name)
    if found.meta.status == 404:
        return [Change("create", f"index {name}", (), partial(_create_index, name=name))]
    # The name may be an alias of one index with another name, or of several.
    return [
        change
        for actual, index in found.body.items()
        for change in _index_change(actual, index, template, incompatible)
    ]


def _index_change(name: str, index: JsonObject, template: JsonObject, incompatible: list[str]) -> list[Change]:
    """Changes that bring an existing index up to its template: fields, strictness, alias."""
    actual, mapping = index["mappings"], template["template"]["mappings"]
    analysis = template["template"]["settings"]["index"].get("analysis")
    if analysis and "triage_index" not in _analyzers(index):
        # Analyzers cannot be added to an open index: its new text fields have none.
        mapping = without_analyzers(mapping)
        incompatible.append(f"index {name}: analyzers: (none) -> {', '.join(analysis['analyzer'])}")
    properties = actual.get("properties", {})
    incompatible += [f"index {name}: {text}" for text in incompatible_properties(properties, mapping["properties"])]

    changes = []
    missing = missing_properties(properties, mapping["properties"])
    update: JsonObject = {"properties": missing} if missing else {}
    details = [f"{path}: (none) -> {definition['type']}" for path, definition in field_paths(missing)]
    if (dynamic := actual.get("dynamic", "true")) != mapping["dynamic"]:
        update["dynamic"] = mapping["dynamic"]
        details.append(f"dynamic: {dynamic} -> {mapping['dynamic']}")
    if update:
        put = partial(_put_mapping, name=name, body=update)
        changes.append(Change("update", f"mapping of index {name}", tuple(details), put))
    if more := missing_replicas(index, template):
        put = partial(_put_replicas, name=name, replicas=more[1])
        changes.append(Change("update", f"index {name}", (f"number_of_replicas: {more[0]} -> {more[1]}",), put))
    for alias in template["template"].get("aliases", {}):
        if alias not in index.get("aliases", {}):
            add = partial(_add_alias, name=name, alias=alias)
            changes.append(Change("update", f"index {name}", (f"alias: (none) -> {alias}",), add))
    return changes


def _put_replicas(client: Elasticsearch, name: str, replicas: int) -> object:
    return client.indices.put_settings(index=name, settings={"index": {"number_of_replicas": replicas}})


def _analyzers(index: JsonObject) -> JsonObject:
    found: JsonObject = index.get("settings", {}).get("index", {}).get("analysis", {}).get("analyzer", {})
    return found


def _put_mapping(client: Elasticsearch, name: str, body: JsonObject) -> object:
    return client.indices.put_mapping(index=name, body=body)


def _add_alias(client: Elasticsearch, name: str, alias: str) -> object:
    return client.indices.update_aliases(actions=[{"add": {"index": name, "alias": alias}}])


def _create_index(client: Elasticsearch, name: str) -> object:
    try:
        return client.indices.create(index=name)
    except ApiError as error:
        if cause(error.body)[0] == "resource_already_exists_exception":
            return None
        raise


def _count_fields(body: JsonObject) -> int:
    return sum(1 for _ in field_paths(body["template"]["mappings"]["properties"]))
