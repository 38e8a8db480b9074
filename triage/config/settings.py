"""Reads and validates all sections of the settings."""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from triage.config.alerting import AlertingSettings
from triage.config.api import ApiSettings
from triage.config.assist import AssistSettings
from triage.config.console import ConsoleSettings
from triage.config.conversations import ConversationSettings
from triage.config.elasticsearch import ElasticsearchSettings
from triage.config.exposure import Exposure
from triage.config.fleet import FleetSettings
from triage.config.guide import GuideSettings
from triage.config.intents import IntentsSettings
from triage.config.kafka import LINGER_MS, KafkaSettings
from triage.config.local import ClockSettings, LocalSettings, LoggingSettings
from triage.config.market import MarketSettings
from triage.config.risk import RiskSettings
from triage.config.section import secret_fields
from triage.config.tracing import TracingSettings
from triage.config.worker import (
    DEMO_AUTHOR_KEY,
    ModelSettings,
    RedactionSettings,
    ReplaySettings,
    RulesSettings,
    WorkerSettings,
)
from triage.decoding import DecodeError, decoded
from triage.errors import ConfigError, did_you_mean
from triage.masking import masked

ENV_PREFIX = "TRIAGE_"
# Read elsewhere, not as settings.
_OTHER_ENV = {"TRIAGE_HOME", "TRIAGE_CONFIG"}
_TEST_ENV = f"{ENV_PREFIX}TEST_"


class Settings(BaseSettings):
    """All settings, one section per part of the system."""

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
    replay: ReplaySettings = ReplaySettings()
    redaction: RedactionSettings = RedactionSettings()
    rules: RulesSettings = RulesSettings()
    alerting: AlertingSettings = AlertingSettings()
    console: ConsoleSettings = ConsoleSettings()
    api: ApiSettings = ApiSettings()
    assist: AssistSettings = AssistSettings()
    conversations: ConversationSettings = ConversationSettings()
    market: MarketSettings = MarketSettings()
    guide: GuideSettings = GuideSettings()
    risk: RiskSettings = RiskSettings()
    intents: IntentsSettings = IntentsSettings()
    fleet: FleetSettings = FleetSettings()
    tracing: TracingSettings = TracingSettings()
    local: LocalSettings = LocalSettings()
    clock: ClockSettings = ClockSettings()
    logging: LoggingSettings = LoggingSettings()

    @model_validator(mode="after")
    def _timeouts_fit(self) -> "Settings":
        """Refuse timeouts with which a slow broker would cost a worker its partitions or its life."""
        kafka, worker = self.kafka, self.worker
        problems = []
        if kafka.commit_timeout_ms > worker.max_poll_interval_ms:
            most = (worker.max_poll_interval_ms - LINGER_MS) // 3
            problems.append(
                f"kafka.request_timeout_ms = {kafka.request_timeout_ms}: a commit takes three requests at most, "
                f"{kafka.commit_timeout_ms} ms with the wait for more records, but after worker.max_poll_interval_ms = "
                f"{worker.max_poll_interval_ms} the group gives the partitions to others; set "
                f"kafka.request_timeout_ms to {most} or less, or worker.max_poll_interval_ms to "
                f"{kafka.commit_timeout_ms} or more"
            )
        ends_after_ms = round((worker.stuck_after_s + worker.stuck_exit_s) * 1000)
        if kafka.delivery_timeout_ms > ends_after_ms:
            problems.append(
                f"kafka.request_timeout_ms = {kafka.request_timeout_ms}: a worker that waits for a broker is ended "
                f"after worker.stuck_after_s + worker.stuck_exit_s = {ends_after_ms} ms, before the request times out; "
                f"set kafka.request_timeout_ms to {ends_after_ms - LINGER_MS} or less, or raise worker.stuck_after_s"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def in_clear_text(self, *sections: str) -> list[Exposure]:
        """Credentials that these sections (default: all) send over a network in clear text."""
        return [
            each._replace(setting=f"{name}.{each.setting}")
            for name in sections or type(self).model_fields
            for each in getattr(self, name).in_clear_text()
        ]

    def require_own_author_key(self) -> None:
        """Raise ConfigError if the public demo key would hash the authors of a real system.

        A system counts as a trial, and is accepted, if Kafka and Elasticsearch are both on this machine.
        """
        if self.redaction.uses_demo_key and not (self.kafka.on_this_machine() and self.elasticsearch.on_this_machine()):
            raise ConfigError(
                "redaction.author_key is the demo key, with which anyone can compute whose texts these are: beyond "
                "this machine set one of your own, made by: openssl rand -hex 32 (if records were hashed with the demo "
                f'key, also set author_key_version = "2" and old_author_keys = {{1 = "{DEMO_AUTHOR_KEY}"}})'
            )

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

    `config` defaults to `TRIAGE_CONFIG`, then to `triage.toml` in the working directory, if it exists. `flags` maps
    dotted names (`kafka.bootstrap_servers`) to values and takes precedence; None values are ignored.

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
            decoded(lambda content: tomllib.loads(content.decode()), path.read_bytes())
        except DecodeError as error:
            raise ConfigError(f"not valid TOML: {error}", where=str(path)) from error
    problems += _unknown_environment()

    class Loaded(Settings):
        toml_file = path

    try:
        settings = Loaded(**_nest(flags or {}))
    except SettingsError as error:
        raise ConfigError(
            [*problems, *(_broken_variables() or [f"{error}: lists and tables are JSON"])], where="settings"
        ) from error
    except ValidationError as error:
        # Pydantic reports a misspelt variable too, as an extra field of its section: report it once.
        reported = {problem.partition(":")[0] for problem in problems}
        problems += [_explain(issue) for issue in error.errors() if _variable(issue["loc"]) not in reported]
        raise ConfigError(problems, where="settings") from error
    if problems:
        raise ConfigError(problems, where="settings")
    return settings


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
        return f"{name}: no such setting{_suggestion(issue['loc'])}"
    if not name:
        # Of several sections: the message names the settings itself.
        return str(issue["msg"]).removeprefix("Value error, ")
    given = issue.get("input")
    secret = isinstance(given, (dict, list, BaseModel)) or _is_secret(issue["loc"])
    return f"{name}: {issue['msg'].removeprefix('Value error, ')}" + ("" if secret else f" (got {masked(given)!r})")


def _suggestion(location: tuple[int | str, ...]) -> str:
    """The setting of the same section, or the section, that an unknown name may mean; empty if none is like it."""
    sections = {name: getattr(field.annotation, "model_fields", {}) for name, field in Settings.model_fields.items()}
    section, *rest = map(str, location)
    if not rest:
        return did_you_mean(section, sections)
    return did_you_mean(f"{section}.{rest[0]}", [f"{section}.{name}" for name in sections.get(section, ())])


def _is_secret(location: tuple[int | str, ...]) -> bool:
    section = Settings.model_fields.get(str(location[0]))
    model = section.annotation if section else None
    return (
        len(location) > 1
        and isinstance(model, type)
        and issubclass(model, BaseModel)
        and (str(location[1]).removesuffix("_file") in secret_fields(model))
    )


def _broken_variables() -> list[str]:
    """Problems of variables that begin like a list or table and are not JSON; values are not shown."""
    found = []
    for name, value in sorted(os.environ.items()):
        if name.upper().startswith(ENV_PREFIX) and value.lstrip()[:1] in {"[", "{"}:
            try:
                json.loads(value)
            except ValueError as error:
                found.append(f"{name} is not valid JSON: {error}")
    return found


def _unknown_environment() -> list[str]:
    """Problems of misspelt variables, which would otherwise be ignored silently."""
    known = {
        f"{ENV_PREFIX}{section}__{name}".upper()
        for section, field in Settings.model_fields.items()
        for name in getattr(field.annotation, "model_fields", {})
    }
    known |= {
        f"{ENV_PREFIX}{section}__{name}_file".upper()
        for section, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        for name in secret_fields(field.annotation)
    }
    known |= {f"{ENV_PREFIX}{section}".upper() for section in Settings.model_fields} | _OTHER_ENV
    return [
        f"{name}: no such setting in the environment{did_you_mean(name.upper(), known)}"
        for name in sorted(os.environ)
        if name.upper().startswith(ENV_PREFIX) and not name.upper().startswith(_TEST_ENV) and name.upper() not in known
    ]
