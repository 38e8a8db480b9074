"""Compares existing topics with their definitions and plans additions. Pure: contacts no broker."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from triage.topics.definitions import TopicDefinition
from triage.topics.durability import durability_warnings
from triage.topics.units import same_value


@dataclass(frozen=True, slots=True)
class Existing:
    """The current state of a topic on the brokers.

    `config` has all settings that the brokers report, defaults included; `overridden` has the names of those that are
    set on the topic itself.
    """

    partitions: int
    replication_factor: int
    config: Mapping[str, str | None]
    overridden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """A change of the topic setting `name` from `old` to `new`. `old` is None for a topic that is to be created."""

    name: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class TopicChange:
    """The planned changes of one topic: it is created, changed, or left unchanged (`empty`)."""

    definition: TopicDefinition
    create: bool = False
    partitions_before: int = 0
    config: tuple[ConfigChange, ...] = ()

    @property
    def add_partitions(self) -> bool:
        return not self.create and self.definition.partitions > self.partitions_before

    @property
    def empty(self) -> bool:
        return not (self.create or self.add_partitions or self.config)


@dataclass(frozen=True, slots=True)
class Plan:
    """The planned changes of all topics.

    `warnings` describe differences that are never applied (fewer partitions, replication), `notes` other differences.
    """

    topics: tuple[TopicChange, ...]
    warnings: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())

    @property
    def empty(self) -> bool:
        return all(topic.empty for topic in self.topics)


def compute_plan(
    definitions: Iterable[TopicDefinition],
    existing: Mapping[str, Existing],
    *,
    others: Iterable[str] = (),
    brokers: int | None = None,
    internal: Mapping[str, int] | None = None,
) -> Plan:
    """Compare definitions with the existing topics, and return the plan.

    `existing` has the topics on the brokers by full name; `others` are the full names of all existing topics with the
    prefix. `brokers` is the number of brokers, None if unknown; `internal` has the replication factors of Kafka's own
    topics (see `durability_warnings`). Raises ConfigError if a topic needs more brokers than there are.
    """
    changes: list[TopicChange] = []
    warnings: list[str] = []
    notes: list[str] = []
    impossible: list[str] = []
    definitions = list(definitions)
    for definition in definitions:
        name = definition.full_name
        found = existing.get(name)
        if found is None:
            config = tuple(ConfigChange(key, None, value) for key, value in definition.config.items())
            changes.append(TopicChange(definition, create=True, config=config))
            if brokers is not None and definition.replication_factor > brokers:
                impossible.append(f"{name} (replication_factor {definition.replication_factor})")
            continue
        change, problems = _compare(definition, found)
        changes.append(change)
        warnings += problems
        if extra := sorted(found.overridden - definition.config.keys()):
            shown = ", ".join(f"{key}={found.config.get(key)}" for key in extra)
            notes.append(f"{name} also has {shown}; left alone")
    if impossible:
        warnings.insert(
            0,
            f"{', '.join(impossible)} cannot be created with {brokers} broker{'' if brokers == 1 else 's'}: "
            "is kafka.environment right?",
        )
    configs = {name: topic.config for name, topic in existing.items()}
    warnings += durability_warnings(definitions, configs, internal or {}, brokers)
    defined = {definition.full_name for definition in definitions}
    notes += [f"{name} is not in the definitions; left alone" for name in sorted(set(others) - defined)]
    return Plan(tuple(changes), tuple(warnings), tuple(notes))


def _compare(definition: TopicDefinition, found: Existing) -> tuple[TopicChange, list[str]]:
    name, warnings, config = definition.full_name, [], []
    if definition.partitions < found.partitions:
        warnings.append(
            f"{name} has {found.partitions} partitions, the definition says {definition.partitions}: partitions are "
            "never removed; raise the number in the definition, or create a new topic and move the data"
        )
    elif definition.partitions > found.partitions and definition.compacted:
        warnings.append(
            f"{name} is compacted: with {definition.partitions} partitions a key may move to another one, and its "
            "older value stays in the former one"
        )
    if definition.replication_factor != found.replication_factor:
        warnings.append(
            f"{name} has replication factor {found.replication_factor}, the definition says "
            f"{definition.replication_factor}: reassign its partitions with kafka-reassign-partitions"
        )
    for key, value in definition.config.items():
        old = found.config.get(key)
        if old is None:
            warnings.append(f"{name}: the broker does not report {key}, so it is not compared (definition: {value})")
        elif key == "min.insync.replicas" and int(value) > max(int(old), found.replication_factor):
            warnings.append(
                f"{name}: min.insync.replicas stays {old}: {value} with replication factor {found.replication_factor} "
                "would refuse every record"
            )
        elif not same_value(key, old, value):
            config.append(ConfigChange(key, old, value))
    return TopicChange(definition, partitions_before=found.partitions, config=tuple(config)), warnings
