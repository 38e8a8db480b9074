"""Settings: `triage.toml` < `TRIAGE_*` environment < flags, validated together at start.

A nested field is reached by two underscores: `TRIAGE_KAFKA__BOOTSTRAP_SERVERS`.
"""

import os
import re
import socket
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from triage.clock import Clock, ScaledClock, SystemClock
from triage.errors import ConfigError

ENV_PREFIX = "TRIAGE_"
# Read elsewhere, before or beside the settings.
_OTHER_ENV = {"TRIAGE_HOME", "TRIAGE_CONFIG", "TRIAGE_TEST_KAFKA", "TRIAGE_TEST_ELASTICSEARCH"}


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(Section):
    """Connection and names; security follows kafka-python's names."""

    bootstrap_servers: str = Field("127.0.0.1:9092", description="Comma-separated host:port of the brokers")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    topic_prefix: str = Field("feedback", pattern=r"^[a-zA-Z0-9._-]{1,100}$", description="Prefix of every topic")
    environment: str = Field("local", description="Section of topics/topics.yaml: local, production, ...")
    request_timeout_ms: int = Field(30_000, ge=1_000, le=600_000)
    start_timeout_s: float = Field(60, gt=0, description="How long a process waits at start for the brokers")

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> "KafkaSettings":
        if self.security_protocol.startswith("SASL") and not (
            self.sasl_mechanism and self.sasl_username and self.sasl_password
        ):
            raise ValueError(f"{self.security_protocol} needs sasl_mechanism, sasl_username and sasl_password")
        return self

    def client(self) -> dict[str, Any]:
        """Keyword arguments that every kafka-python client takes."""
        options: dict[str, Any] = {
            "bootstrap_servers": [server.strip() for server in self.bootstrap_servers.split(",")],
            "security_protocol": self.security_protocol,
        }
        if self.sasl_mechanism and self.sasl_password:
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": self.sasl_password.get_secret_value(),
            }
        for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
            if (path := getattr(self, name)) is not None:
                options[name] = str(path)
        return options

    def topic(self, name: str) -> str:
        """Full name of a topic: `complaints` -> `feedback.complaints`."""
        return f"{self.topic_prefix}.{name}"


class ElasticsearchSettings(Section):
    """Connection, names and limits of Elasticsearch 9; Basic or API key authentication."""

    url: str = Field("http://127.0.0.1:9200", description="Comma-separated URLs of the nodes")
    username: str | None = None
    password: SecretStr | None = None
    api_key: SecretStr | None = Field(None, description="Encoded API key (base64 of id:key)")
    ca_certs: Path | None = Field(None, description="PEM file of the authority that signed the nodes' certificates")
    index_prefix: str = Field(
        "feedback", pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$", description="Alias, and prefix of the indices"
    )
    alerts_index: str = Field("alerts", pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$")
    request_timeout_s: float = Field(30, gt=0, le=600)
    start_timeout_s: float = Field(60, gt=0, description="How long a process waits at start for Elasticsearch")
    bulk_bytes: int = Field(5 * 1024 * 1024, ge=10_000, le=100 * 1024 * 1024, description="Largest bulk request")
    bulk_retries: int = Field(
        3, ge=0, le=20, description="Repeats of refused documents within one write, before the partitions are paused"
    )
    daily_days: int = Field(
        30, ge=0, le=3650, description="Days before the first `triage index apply` that get daily indices"
    )
    retention_days: int = Field(180, ge=1, description="ILM deletes daily indices after so many days")
    shards: int = Field(1, ge=1, le=100)
    replicas: int = Field(0, ge=0, le=10)

    @model_validator(mode="after")
    def _fits_together(self) -> "ElasticsearchSettings":
        problems = []
        for url in self.urls():
            try:
                parts = urlsplit(url)
                valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
            except ValueError:
                valid = False
            if not valid:
                problems.append("url takes http(s)://host:port, comma-separated")
        if (self.username is None) != (self.password is None):
            problems.append("username and password go together")
        if self.username is not None and self.api_key is not None:
            problems.append("set either username and password or api_key, not both")
        if self.alerts_index == self.index_prefix or self.alerts_index.startswith(f"{self.index_prefix}-"):
            problems.append(f"alerts_index must not be {self.index_prefix} or begin with {self.index_prefix}-")
        if problems:
            raise ValueError("; ".join(dict.fromkeys(problems)))
        return self

    def urls(self) -> list[str]:
        return [url.strip() for url in self.url.split(",")]


class ModelSettings(Section):
    path: Path | None = Field(None, description="Model folder; default: the one that onnx/CURRENT names")
    device: Literal["auto", "cpu", "cuda", "openvino"] = "auto"
    allow_fallback: bool = Field(False, description="Go on with a warning when the device asked for is not in use")
    threads: int = Field(0, ge=0, description="Intra-op threads; 0: one for each core that the container may use")
    batch_tokens: int = Field(1024, ge=64, le=262_144, description="Token budget of one model call, padding included")
    max_tokens: int = Field(256, ge=16, le=512, description="A longer text is cut here and flagged truncated")


class WorkerSettings(Section):
    group: str = Field("triage", description="Consumer group")
    fleet: str = Field("triage", pattern=r"^[a-zA-Z0-9._-]{1,100}$", description="Prefix of the transactional ids")
    slot: str = Field(
        default_factory=lambda: re.sub(r"[^a-zA-Z0-9._-]", "-", socket.gethostname())[:100] or "0",
        pattern=r"^[a-zA-Z0-9._-]{1,100}$",
        description="Stable name of this process within the fleet; default: the host's name",
    )
    channels: list[Literal["complaint", "review", "social"]] = Field(["complaint", "review", "social"], min_length=1)
    max_batch_records: int = Field(512, ge=1, le=10_000, description="Most records in one transaction")
    batch_wait_ms: int = Field(250, ge=1, le=5_000, description="Longest wait to fill a batch")
    batch_target_ms: int = Field(
        500, ge=50, le=10_000, description="Batches shrink so that a batch takes about this long"
    )
    transaction_timeout_ms: int = Field(10_000, ge=1_000, le=900_000)
    session_timeout_ms: int = Field(10_000, ge=1_000, le=1_800_000)
    heartbeat_interval_ms: int = Field(3_000, ge=100, le=600_000)
    max_poll_interval_ms: int = Field(300_000, ge=10_000)
    drain_timeout_s: float = Field(20, gt=0, description="How long SIGTERM waits for the batch in hand")
    max_text_chars: int = Field(20_000, ge=1, le=1_000_000)
    max_future_hours: float = Field(24, gt=0)
    max_attribute_bytes: int = Field(32_768, ge=0)
    max_attributes: int = Field(100, ge=0)
    health_port: int = Field(0, ge=0, le=65_535, description="Port of /live /ready /metrics; 0: none")
    backoff_initial_s: float = Field(0.5, gt=0)
    backoff_max_s: float = Field(30, gt=0)

    @model_validator(mode="after")
    def _times_fit(self) -> "WorkerSettings":
        if self.heartbeat_interval_ms * 3 > self.session_timeout_ms:
            raise ValueError("heartbeat_interval_ms must be at most a third of session_timeout_ms")
        return self


class RedactionSettings(Section):
    kinds: list[str] | None = Field(
        None, description="Kinds to redact; default: those on by default (docs/redaction.md)"
    )
    also: list[str] = Field([], description="Kinds redacted besides the default ones, as order_id")
    region: str = Field("US", pattern=r"^[A-Z]{2}$", description="Country assumed for phone numbers without a + prefix")
    author_key: SecretStr = Field(SecretStr("triage-demo-key"), description="Key of the HMAC that replaces author ids")
    author_key_version: str = Field("1", pattern=r"^[a-z0-9]{1,8}$")


class RulesSettings(Section):
    path: Path | None = Field(None, description="Rules for severity and routing; default: triage/rules/default.yaml")


class AlertingSettings(Section):
    rules: Path | None = Field(None, description="Alert rules; default: triage/alerting/default.yaml")
    data_dir: Path = Field(Path(".triage/alerter"), description="Working files of the alerter")
    window_s: int = Field(300, ge=10, le=86_400, description="Step of the window counts that workers publish")
    dimensions: list[list[str]] = Field(
        [[], ["channel"], ["intent"], ["brand"], ["product"], ["region"], ["channel", "intent"]],
        description="Field combinations that are counted; [] counts everything",
    )
    allowed_lateness_s: int = Field(600, ge=0)
    max_hold_s: float = Field(60, gt=0, description="Longest real wait for a lagging partition's watermark")
    max_page_age_s: int = Field(6 * 3600, gt=0, description="Windows closed longer ago are recorded, not paged")
    max_keys: int = Field(50_000, ge=1, description="Most keys per step and partition of the window counts")
    group: str = Field(
        "alerter",
        pattern=r"^[a-zA-Z0-9._-]{1,100}$",
        description="Consumer group and changelog, after the topic prefix",
    )
    instance: str = Field(
        "0", pattern=r"^[a-zA-Z0-9._-]{1,100}$", description="Stable name of this process within the group"
    )
    session_timeout_s: float = Field(10, ge=1, le=60)
    health_port: int = Field(0, ge=0, le=65_535, description="Port of /live /ready /metrics; 0: none")
    webhook_url: SecretStr | None = Field(None, description="Receives every alert as JSON")
    slack_url: SecretStr | None = Field(None, description="Incoming webhook of Slack")
    notify_timeout_s: float = Field(10, gt=0)
    notify_give_up_s: float = Field(6 * 3600, gt=0, description="A page that no attempt delivers is given up after it")
    notify_backoff_initial_s: float = Field(1, gt=0)
    notify_backoff_max_s: float = Field(60, gt=0)
    console_url: str = Field("http://127.0.0.1:8080", description="Base of the links in pages")
    kibana_url: str | None = None


class ConsoleSettings(Section):
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65_535)


class LocalSettings(Section):
    data_dir: Path = Field(Path(".triage/local"), description="Data of the local Kafka and Elasticsearch")
    kafka_port: int = Field(9092, ge=0, le=65_535, description="0, or a taken port: a free one is chosen")
    elasticsearch_port: int = Field(9200, ge=0, le=65_535)


class ClockSettings(Section):
    """A simulated clock for demos: real time when `speed` is 1 and `origin` is unset."""

    origin: datetime | None = None
    anchor: datetime | None = None
    until: datetime | None = None
    speed: float = Field(1.0, gt=0, le=1e6)

    @model_validator(mode="after")
    def _whole(self) -> "ClockSettings":
        if (self.origin is None) != (self.anchor is None):
            raise ValueError("origin and anchor go together")
        return self

    def build(self) -> Clock:
        if self.origin is None or self.anchor is None:
            return SystemClock()
        return ScaledClock(_utc(self.origin), _utc(self.anchor), self.speed, self.until and _utc(self.until))


class LoggingSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["auto", "console", "json"] = "auto"


class Settings(BaseSettings):
    """Everything that can be set, one section per part of the system."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )
    toml_file: ClassVar[Path | None] = None

    kafka: KafkaSettings = KafkaSettings()
    elasticsearch: ElasticsearchSettings = ElasticsearchSettings()
    model: ModelSettings = ModelSettings()
    worker: WorkerSettings = WorkerSettings()
    redaction: RedactionSettings = RedactionSettings()
    rules: RulesSettings = RulesSettings()
    alerting: AlertingSettings = AlertingSettings()
    console: ConsoleSettings = ConsoleSettings()
    local: LocalSettings = LocalSettings()
    clock: ClockSettings = ClockSettings()
    logging: LoggingSettings = LoggingSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        if cls.toml_file is not None:
            sources += (TomlConfigSettingsSource(settings_cls, cls.toml_file),)
        return sources


def load_settings(config: Path | None = None, flags: Mapping[str, Any] | None = None) -> Settings:
    """Read and validate every setting.

    `config` defaults to `TRIAGE_CONFIG`, else `triage.toml` in the working directory, if there. `flags` maps dotted
    names (`kafka.bootstrap_servers`) to values and wins over all else; None values are left out.

    Raises ConfigError with all problems at once.
    """
    path = config or (Path(named) if (named := os.environ.get("TRIAGE_CONFIG")) else None)
    problems = []
    if path is None and Path("triage.toml").exists():
        path = Path("triage.toml")
    if path is not None:
        if not path.is_file():
            raise ConfigError(f"no such file: {path}", where="--config")
        try:
            tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"not valid TOML: {error}", where=str(path)) from error
    problems += _unknown_environment()

    class Loaded(Settings):
        toml_file = path

    try:
        settings = Loaded(**_nest(flags or {}))
    except ValidationError as error:
        # A misspelt variable also reaches pydantic as an extra field of its section; once is enough.
        reported = {problem.partition(":")[0] for problem in problems}
        problems += [_explain(issue) for issue in error.errors() if _variable(issue["loc"]) not in reported]
        raise ConfigError(problems, where="settings") from error
    if problems:
        raise ConfigError(problems, where="settings")
    return settings


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _nest(flags: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for dotted, value in flags.items():
        if value is None:
            continue
        *sections, leaf = dotted.split(".")
        target = nested
        for section in sections:
            target = target.setdefault(section, {})
        target[leaf] = value
    return nested


def _variable(location: tuple[int | str, ...]) -> str:
    return f"{ENV_PREFIX}{'__'.join(str(part) for part in location)}".upper()


def _explain(issue: Any) -> str:
    name = ".".join(str(part) for part in issue["loc"])
    if issue["type"] == "extra_forbidden":
        return f"{name}: no such setting"
    given = issue.get("input")
    shown = "" if isinstance(given, (dict, BaseModel)) or "password" in name or "key" in name else f" (got {given!r})"
    return f"{name}: {issue['msg'].removeprefix('Value error, ')}{shown}"


def _unknown_environment() -> list[str]:
    """A misspelt variable is a setting that silently does nothing; say so."""
    known = {
        f"{ENV_PREFIX}{section}__{name}".upper()
        for section, field in Settings.model_fields.items()
        for name in getattr(field.annotation, "model_fields", {})
    }
    known |= {f"{ENV_PREFIX}{section}".upper() for section in Settings.model_fields} | _OTHER_ENV
    return [
        f"{name}: no such setting in the environment"
        for name in sorted(os.environ)
        if name.upper().startswith(ENV_PREFIX) and name.upper() not in known
    ]
