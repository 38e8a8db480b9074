"""Settings: `triage.toml` < `TRIAGE_*` environment < flags, validated together at start; a dot is `__` in variables."""

from triage.config.alerting import AlertingSettings
from triage.config.api import ApiSettings, WebhookSignature
from triage.config.assist import AssistEndpoint, AssistSettings
from triage.config.console import ConsoleSettings
from triage.config.conversations import ConversationSettings, PlaybookWebhook
from triage.config.elasticsearch import ElasticsearchSettings
from triage.config.fleet import FleetSettings
from triage.config.guide import GuideSettings
from triage.config.kafka import KafkaSettings
from triage.config.local import ClockSettings, LocalSettings, LoggingSettings
from triage.config.market import MarketSettings
from triage.config.section import Section, secret_fields
from triage.config.settings import ENV_PREFIX, Settings, load_settings
from triage.config.tracing import TracingSettings
from triage.config.web import Role, Token, WebSettings
from triage.config.worker import ModelSettings, RedactionSettings, ReplaySettings, RulesSettings, WorkerSettings

__all__ = [
    "ENV_PREFIX",
    "AlertingSettings",
    "ApiSettings",
    "AssistEndpoint",
    "AssistSettings",
    "ClockSettings",
    "ConsoleSettings",
    "ConversationSettings",
    "ElasticsearchSettings",
    "FleetSettings",
    "GuideSettings",
    "KafkaSettings",
    "LocalSettings",
    "LoggingSettings",
    "MarketSettings",
    "ModelSettings",
    "PlaybookWebhook",
    "RedactionSettings",
    "ReplaySettings",
    "Role",
    "RulesSettings",
    "Section",
    "Settings",
    "Token",
    "TracingSettings",
    "WebSettings",
    "WebhookSignature",
    "WorkerSettings",
    "load_settings",
    "secret_fields",
]
