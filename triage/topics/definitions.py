"""Loads `topics/topics.yaml`: the desired topics for one environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from yaml.nodes import MappingNode, ScalarNode

from triage.config import KafkaSettings
from triage.errors import ConfigError, did_you_mean
from triage.paths import resource
from triage.topics.units import config_value
from triage.types import Channel

RAW_TOPICS = {Channel.COMPLAINT: "complaints", Channel.REVIEW: "reviews", Channel.SOCIAL: "social"}
TURNS, ANSWERED_TURNS = "turns", "answered-turns"
"""Turns of conversations as they were sent, with personal data, and redacted with their answers."""
TOPICS = (
    *RAW_TOPICS.values(),
    "enriched",
    "window-counts",
    "dead-letter",
    "alerts",
    "alert-actions",
    "forgotten",
    "resolutions",
    TURNS,
    ANSWERED_TURNS,
)

_CONFIG_NAMES = frozenset(
    {
        "cleanup.policy",
        "compression.gzip.level",
        "compression.lz4.level",
        "compression.type",
        "compression.zstd.level",
        "delete.retention.ms",
        "file.delete.delay.ms",
        "flush.messages",
        "flush.ms",
        "follower.replication.throttled.replicas",
        "index.interval.bytes",
        "leader.replication.throttled.replicas",
        "local.retention.bytes",
        "local.retention.ms",
        "max.compaction.lag.ms",
        "max.message.bytes",
        "message.timestamp.after.max.ms",
        "message.timestamp.before.max.ms",
        "message.timestamp.type",
        "min.cleanable.dirty.ratio",
        "min.compaction.lag.ms",
        "min.insync.replicas",
        "preallocate",
        "remote.log.copy.disable",
        "remote.log.delete.on.disable",
        "remote.storage.enable",
        "retention.bytes",
        "retention.ms",
        "segment.bytes",
        "segment.index.bytes",
        "segment.jitter.ms",
        "segment.ms",
        "unclean.leader.election.enable",
    }
)
_ALLOWED: dict[str, frozenset[str]] = {
    "cleanup.policy": frozenset({"delete", "compact", "compact,delete", "delete,compact"}),
    "message.timestamp.type": frozenset({"CreateTime", "LogAppendTime"}),
}


@dataclass(frozen=True, slots=True)
class TopicDefinition:
    """The desired state of one topic. `name` is the short name, `full_name` has the prefix.

    `config` maps Kafka's names of topic settings to values in Kafka's notation.
    """

    name: str
    full_name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]
    description: str = ""

    @property
    def compacted(self) -> bool:
        return "compact" in self.config.get("cleanup.policy", "")


class _Layer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    partitions: int | None = Field(None, ge=1, le=10_000)
    replication_factor: int | None = Field(None, ge=1, le=100)
    config: dict[str, str | int | float | bool] = {}
    description: str = ""


class _Environment(BaseModel):
    model_config = ConfigDict(extra="forbid")

    defaults: _Layer = _Layer()
    topics: dict[str, _Layer] = {}


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1]
    defaults: _Layer
    topics: dict[str, _Layer]
    environments: dict[str, _Environment]


def load_definitions(settings: KafkaSettings, path: Path | None = None) -> list[TopicDefinition]:
    """Load the definitions of all topics for `settings.environment`, in the order of the file.

    `path` is by default `topics/topics.yaml`. Raises ConfigError with every problem of the file.
    """
    path = path or resource("topics/topics.yaml")
    file = _parse(path)
    environment = file.environments.get(settings.environment)
    if environment is None:
        raise ConfigError(
            f"kafka.environment is {settings.environment!r}, the file has {', '.join(sorted(file.environments))}",
            where=str(path),
        )
    problems = [f"topics.{name}: triage needs this topic" for name in TOPICS if name not in file.topics]
    problems += [
        f"environments.{key}.topics.{name}: no such topic above"
        for key, section in file.environments.items()
        for name in section.topics
        if name not in file.topics
    ]
    definitions = []
    for name, layer in file.topics.items():
        layers = (file.defaults, environment.defaults, layer, environment.topics.get(name, _Layer()))
        definition, wrong = _merge(settings, name, layers)
        problems += [f"topics.{name} ({settings.environment}): {problem}" for problem in wrong]
        definitions.append(definition)
    if problems:
        raise ConfigError(problems, where=str(path))
    return definitions


def _parse(path: Path) -> _File:
    try:
        loaded = yaml.load(path.read_text("utf-8"), Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid YAML: {error}", where=str(path)) from error
    try:
        return _File.model_validate(loaded)
    except ValidationError as error:
        problems = [_explain(issue) for issue in error.errors()]
        raise ConfigError(dict.fromkeys(problems), where=str(path)) from error


class _StrictLoader(yaml.SafeLoader):
    """A YAML loader that refuses duplicate keys: PyYAML keeps the last one silently, and the first would be lost."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key.value!r}", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node: MappingNode) -> None:
        # A merge (<<) puts the merged keys into the node itself, where they would count as duplicates of the
        # overriding ones: of each key only the last, overriding one is kept.
        super().flatten_mapping(node)
        last = {key.value if isinstance(key, ScalarNode) else id(key): (key, value) for key, value in node.value}
        node.value = list(last.values())


_KEYS = frozenset(name for shape in (_File, _Environment, _Layer) for name in shape.model_fields)


def _explain(issue: Any) -> str:
    # For a union, pydantic adds the type that it tried to the path; users look for the key only.
    place = ".".join(str(part) for part in issue["loc"] if part not in {"str", "int", "float", "bool"})
    if issue["type"] == "extra_forbidden":
        return f"{place}: no such key{did_you_mean(place.rpartition('.')[2], _KEYS)}"
    given = issue.get("input")
    shown = "" if isinstance(given, dict) or issue["type"] == "missing" else f" (got {given!r})"
    return f"{place or 'file'}: {issue['msg']}{shown}"


def _merge(settings: KafkaSettings, name: str, layers: tuple[_Layer, ...]) -> tuple[TopicDefinition, list[str]]:
    problems: list[str] = []
    partitions = replication = None
    config: dict[str, str] = {}
    for layer in layers:
        partitions = layer.partitions or partitions
        replication = layer.replication_factor or replication
        for key, value in layer.config.items():
            if key not in _CONFIG_NAMES:
                problems.append(f"{key} is not a topic setting of Kafka{did_you_mean(key, _CONFIG_NAMES)}")
                continue
            try:
                config[key] = config_value(key, value)
            except ValueError as error:
                problems.append(str(error))
    problems += _check(settings, name, partitions, replication, config)
    definition = TopicDefinition(
        name=name,
        full_name=settings.topic(name),
        partitions=partitions or 1,
        replication_factor=replication or 1,
        config=dict(sorted(config.items())),
        description=layers[2].description,
    )
    return definition, problems


def _check(
    settings: KafkaSettings, name: str, partitions: int | None, replication: int | None, config: Mapping[str, str]
) -> list[str]:
    problems = []
    if partitions is None:
        problems.append("partitions is not set")
    if replication is None:
        problems.append("replication_factor is not set")
    for key, allowed in _ALLOWED.items():
        if key in config and config[key] not in allowed:
            problems.append(f"{key} is {config[key]!r}, not one of {', '.join(sorted(allowed))}")
    in_sync = config.get("min.insync.replicas", "1")
    if not in_sync.isdigit():
        problems.append(f"min.insync.replicas is {in_sync!r}, not a whole number")
    elif replication is not None and int(in_sync) > replication:
        problems.append(
            f"min.insync.replicas {in_sync} exceeds replication_factor {replication}: nothing could be sent"
        )
    if name in RAW_TOPICS.values() and config.get("message.timestamp.type") != "LogAppendTime":
        problems.append("a raw topic needs message.timestamp.type LogAppendTime: the broker's time orders the writes")
    full = settings.topic(name)
    if len(full) > 249 or not all(letter.isascii() and (letter.isalnum() or letter in "._-") for letter in full):
        problems.append(f"{full!r} is not a valid topic name (letters, digits, . _ -, at most 249)")
    return problems
