"""Creates and changes topics on the brokers to match their definitions. Nothing is deleted or reduced."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from triage.clock import Clock
from triage.config import KafkaSettings
from triage.errors import AccessDenied, ConfigError, DependencyError, TriageError
from triage.topics.connect import ask_brokers, translate
from triage.topics.definitions import TopicDefinition, load_definitions
from triage.topics.diff import Existing, Plan, TopicChange, compute_plan
from triage.topics.durability import INTERNAL

if TYPE_CHECKING:
    from triage.topics.kafka_types import Admin

_OK, _UNKNOWN_TOPIC, _ALREADY_EXISTS = 0, 3, 36
_DEFAULT_MAX_BYTES = 1_048_588


def plan_topics(
    settings: KafkaSettings, *, definitions: list[TopicDefinition] | None = None, clock: Clock | None = None
) -> Plan:
    """Return the plan that `apply_topics` would carry out; nothing is changed.

    Raises ConfigError for invalid definitions (default `topics/topics.yaml`), Unavailable if no broker answers,
    AccessDenied if a permission is missing.
    """
    definitions = load_definitions(settings) if definitions is None else definitions
    return ask_brokers(settings, lambda admin: _plan(admin, settings, definitions), clock=clock)


def apply_topics(
    settings: KafkaSettings,
    *,
    definitions: list[TopicDefinition] | None = None,
    clock: Clock | None = None,
    on_plan: Callable[[Plan], None] | None = None,
    on_done: Callable[[TopicChange], None] | None = None,
) -> Plan:
    """Create topics, add partitions, set configuration; returns the plan that was carried out.

    `on_plan` is called before anything is done, `on_done` after each topic. Idempotent: a second plan is empty.
    Everything possible is done; the problems of the rest are raised together at the end, as ConfigError, AccessDenied,
    Unavailable or DependencyError.
    """
    definitions = load_definitions(settings) if definitions is None else definitions
    plans: list[Plan] = []
    failures: list[TriageError] = []

    def apply(admin: "Admin") -> None:
        plans.append(_plan(admin, settings, definitions))
        if on_plan is not None and len(plans) == 1:
            on_plan(plans[0])
        failures.clear()
        created = _apply_all(admin, plans[-1], failures, on_done)
        # A topic that was just created may not have leaders yet; the next command must find it.
        admin.wait_for_topics(created, timeout_ms=settings.request_timeout_ms)

    try:
        ask_brokers(settings, apply, clock=clock)
    except TriageError as error:
        if error not in failures:
            raise
    _raise_together(failures)
    return plans[0]


def _apply_all(
    admin: "Admin", plan: Plan, failures: list[TriageError], on_done: Callable[[TopicChange], None] | None
) -> list[str]:
    """Carry out the changes, and add what fails to `failures`; returns the names of the topics that were created.

    Raises at once what another attempt may solve.
    """
    created = []
    for change in plan.topics:
        if change.empty:
            continue
        try:
            _apply(admin, change)
        except TriageError as error:
            failures.append(error)
            if error.retriable:
                raise
            continue
        if change.create:
            created.append(change.definition.full_name)
        if on_done is not None:
            on_done(change)
    return created


def require_topics(settings: KafkaSettings, names: Iterable[str], *, clock: Clock | None = None) -> dict[str, int]:
    """Check that topics (short names) exist; return for each name the largest record batch, in bytes, that it accepts.

    Raises ConfigError that names the missing topics and the command that creates them, Unavailable if no broker
    answers, AccessDenied if a permission is missing.
    """
    from triage.topics.kafka_compat import topic_configs

    required = {settings.topic(name): name for name in names}

    def ask(admin: "Admin") -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        described = _describe(admin, list(required))
        return described, topic_configs(admin, described)

    described, configs = ask_brokers(settings, ask, clock=clock)
    if missing := [full for full in required if full not in described]:
        plural = "s" if len(missing) > 1 else ""
        raise ConfigError(
            f"topic{plural} {', '.join(missing)} do{'' if plural else 'es'} not exist on "
            f"{settings.bootstrap_servers}: run triage topics apply"
        )
    limits = {short: configs[full].get("max.message.bytes") for full, short in required.items()}
    # Without the right to read settings, Kafka's default applies.
    return {short: int(limit["value"]) if limit else _DEFAULT_MAX_BYTES for short, limit in limits.items()}


def topic_settings(
    settings: KafkaSettings, names: Iterable[str], *, clock: Clock | None = None
) -> dict[str, dict[str, str | None]]:
    """Return the Kafka settings of those topics (short names) that exist: {full name: {setting: value}}.

    Defaults of the brokers are included; a topic whose settings the user may not read has {}. Raises Unavailable if no
    broker answers, AccessDenied if the login fails.
    """
    from triage.topics.kafka_compat import topic_configs

    full_names = [settings.topic(name) for name in names]
    configs = ask_brokers(settings, lambda admin: topic_configs(admin, _describe(admin, full_names)), clock=clock)
    return {topic: {name: entry["value"] for name, entry in found.items()} for topic, found in configs.items()}


def _plan(admin: "Admin", settings: KafkaSettings, definitions: list[TopicDefinition]) -> Plan:
    from triage.topics.kafka_compat import broker_count, topic_configs

    described = _describe(admin, [definition.full_name for definition in definitions])
    configs = topic_configs(admin, described)
    existing = {name: _existing(name, topic, configs[name]) for name, topic in described.items()}
    prefix = f"{settings.topic_prefix}."
    others = [name for name in admin.list_topics() if name.startswith(prefix)]
    return compute_plan(
        definitions, existing, others=others, brokers=broker_count(admin), internal=_internal_replicas(admin)
    )


def _internal_replicas(admin: "Admin") -> dict[str, int]:
    """Return the replication factor of each of Kafka's own topics that exists and may be described."""
    return {
        topic["name"]: min(len(partition["replica_nodes"]) for partition in topic["partitions"])
        for topic in admin.describe_topics(list(INTERNAL))
        if topic["error_code"] == _OK and topic["partitions"]
    }


def _describe(admin: "Admin", names: list[str]) -> dict[str, Any]:
    from kafka.errors import for_code

    found = {}
    for topic in admin.describe_topics(names):
        code = topic["error_code"]
        if code == _UNKNOWN_TOPIC:
            continue
        if not topic["partitions"] and code != _OK:
            raise translate(for_code(code)(), doing=f"describing {topic['name']}")
        found[topic["name"]] = topic
    return found


def _existing(name: str, topic: Mapping[str, Any], configs: Mapping[str, Mapping[str, Any]]) -> Existing:
    if not configs:
        raise AccessDenied(
            "kafka", f"the settings of {name} are not readable; the user needs the ACL DESCRIBE_CONFIGS on the topic"
        )
    partitions = topic["partitions"]
    return Existing(
        partitions=len(partitions),
        replication_factor=min(len(partition["replica_nodes"]) for partition in partitions),
        config={key: entry["value"] for key, entry in configs.items()},
        overridden=frozenset(
            key for key, entry in configs.items() if entry.get("config_source") == "DYNAMIC_TOPIC_CONFIG"
        ),
    )


def _apply(admin: "Admin", change: TopicChange) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType
    from kafka.errors import KafkaError

    definition = change.definition
    name = definition.full_name
    try:
        if change.create:
            options = {
                "num_partitions": definition.partitions,
                "replication_factor": definition.replication_factor,
                "configs": dict(definition.config),
            }
            response = admin.create_topics({name: options}, raise_errors=False)["topics"]
            _check(response[0]["error_code"], response[0].get("error_message"), f"creating {name}")
            return
        if change.add_partitions:
            result = admin.create_partitions({name: definition.partitions}, raise_errors=False).results[0]
            _check(result.error_code, result.error_message, f"adding partitions to {name}")
        if change.config:
            resource = ConfigResource(ConfigResourceType.TOPIC, name, {item.name: item.new for item in change.config})
            # The definitions were validated by name; kafka-python's own check would be one more request.
            outcome = admin.alter_configs([resource], raise_on_unknown=False)["topic"][name]
            if outcome != "OK":
                doing = f"changing the settings of {name}: {outcome}"
                if "Authorization" in outcome:
                    raise AccessDenied("kafka", f"{doing}; the user needs the ACL ALTER_CONFIGS on the topic")
                raise ConfigError(f"kafka: {doing}")
    except KafkaError as error:
        raise translate(error, doing=f"applying {name}") from error


def _check(code: int, message: str | None, doing: str) -> None:
    from kafka.errors import for_code

    if code in {_OK, _ALREADY_EXISTS}:
        return
    error = for_code(code)
    raise translate(error(message) if message else error(), doing=doing)


def _raise_together(failures: list[TriageError]) -> None:
    if len(failures) == 1:
        raise failures[0]
    if failures and all(isinstance(failure, ConfigError) for failure in failures):
        raise ConfigError([str(failure) for failure in failures], where="topics apply")
    if failures:
        raise DependencyError("kafka", f"{len(failures)} problems:" + "".join(f"\n  - {each}" for each in failures))
