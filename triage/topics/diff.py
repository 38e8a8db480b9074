"""What is there against what should be: a plan that only ever adds. No input or output."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from triage.topics.definitions import TopicDefinition
from triage.topics.units import same_value


@dataclass(frozen=True, slots=True)
class Existing:
    """A topic on the brokers. `config` has every value the broker reports, `overridden` the names set on the topic."""

    partitions: int
    replication_factor: int
    config: Mapping[str, str | None]
    overridden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """`old` is None for a topic that is yet to be created."""

    name: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class TopicChange:
    """One topic of the plan: created, changed or left as it is."""

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
    """`warnings` are wishes that are never carried out (shrinking, replication); `notes` what is left alone."""

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
) -> Plan:
    """Compare definitions with the topics on the brokers, by full name.

    `others` are topics with our prefix, `brokers` their number where it is known.
    """
    changes: list[TopicChange] = []
    warnings: list[str] = []
    notes: list[str] = []
    impossible: list[str] = []
    definitions = list(definitions)
    for wanted in definitions:
        name = wanted.full_name
        there = existing.get(name)
        if there is None:
            config = tuple(ConfigChange(key, None, value) for key, value in wanted.config.items())
            changes.append(TopicChange(wanted, create=True, config=config))
            if brokers is not None and wanted.replication_factor > brokers:
                impossible.append(f"{name} (replication_factor {wanted.replication_factor})")
            continue
        change, said = _compare(wanted, there)
        changes.append(change)
        warnings += said
        if extra := sorted(there.overridden - wanted.config.keys()):
            shown = ", ".join(f"{key}={there.config.get(key)}" for key in extra)
            notes.append(f"{name} also has {shown}; left alone")
    if impossible:
        warnings.insert(
            0,
            f"{', '.join(impossible)} cannot be created with {brokers} broker{'' if brokers == 1 else 's'}: "
            "is kafka.environment right?",
        )
    ours = {wanted.full_name for wanted in definitions}
    notes += [f"{name} is not in the definitions; left alone" for name in sorted(set(others) - ours)]
    return Plan(tuple(changes), tuple(warnings), tuple(notes))


def _compare(wanted: TopicDefinition, there: Existing) -> tuple[TopicChange, list[str]]:
    name, warnings, config = wanted.full_name, [], []
    if wanted.partitions < there.partitions:
        warnings.append(
            f"{name} has {there.partitions} partitions, the definition wants {wanted.partitions}: partitions are never "
            "removed; raise the definition, or make a new topic and move the data"
        )
    elif wanted.partitions > there.partitions and wanted.compacted:
        warnings.append(
            f"{name} is compacted: with {wanted.partitions} partitions a key may land on another one than before, and "
            "its older value stays where it is"
        )
    if wanted.replication_factor != there.replication_factor:
        warnings.append(
            f"{name} has replication factor {there.replication_factor}, the definition wants "
            f"{wanted.replication_factor}: reassign its partitions with kafka-reassign-partitions"
        )
    for key, value in wanted.config.items():
        old = there.config.get(key)
        if old is None:
            warnings.append(f"{name}: the broker does not report {key}, so it is not compared (wanted {value})")
        elif key == "min.insync.replicas" and int(value) > max(int(old), there.replication_factor):
            warnings.append(
                f"{name}: min.insync.replicas stays {old}: {value} with replication factor {there.replication_factor} "
                "would refuse every record"
            )
        elif not same_value(key, old, value):
            config.append(ConfigChange(key, old, value))
    return TopicChange(wanted, partitions_before=there.partitions, config=tuple(config)), warnings
