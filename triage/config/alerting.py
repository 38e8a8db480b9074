"""Settings of the alerter: what is counted, when notifications are sent, and who receives them."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from triage.config.exposure import Exposure, has_credentials, leaves_in_clear
from triage.config.lengths import require_length
from triage.config.section import Section
from triage.config.zones import ZoneName

_MIN_KEY_CHARS = 16
_MIN_LINK_KEY_CHARS = 32


class AlertingSettings(Section):
    rules: Path | None = Field(None, description="File of alert rules; default: triage/alerting/rules/default.yaml")
    places: Path | None = Field(
        None,
        description="File of names of places (Wuhan, 武汉) that count as one, before those of "
        "triage/translations/places.yaml",
    )
    data_dir: Path = Field(Path(".triage/alerter"), description="Working files of the alerter")
    window_s: int = Field(300, ge=10, le=86_400, description="Length of the windows in which workers count records")
    dimensions: list[list[str]] = Field(
        [
            [],
            ["channel"],
            ["intent"],
            ["brand"],
            ["product"],
            ["region"],
            ["channel", "intent"],
            ["brand", "intent"],
            ["brand", "region"],
        ],
        description="Combinations of fields by which records are counted; [] counts all records",
    )
    group_by: Literal[
        "brand", "channel", "intent", "language", "severity", "queue", "source", "product", "region", "none"
    ] = Field(
        "brand",
        description="Alerts with the same value of this field are notified together, and a parent mutes its children; "
        "none: all alerts are one group",
    )
    group_wait_s: int = Field(
        30, ge=0, le=3600, description="How long a notification waits for other alerts of its group"
    )
    group_interval_s: int = Field(300, ge=0, le=86_400, description="Least time between two notifications of a group")
    repeat_interval_s: int = Field(
        4 * 3600,
        ge=60,
        le=30 * 86_400,
        description="How often a notification is repeated until somebody acknowledges the alert",
    )
    allowed_lateness_s: int = Field(
        600, ge=0, description="How late a record may arrive and still be counted; a window is closed that much later"
    )
    max_hold_s: float = Field(
        60,
        gt=0,
        description="How long, in real time, a partition without progress holds back the watermark, and how far one "
        "that lags does",
    )
    max_page_age_s: int = Field(
        6 * 3600, gt=0, description="Alerts of windows that ended longer ago are recorded, but not notified"
    )
    max_keys: int = Field(
        50_000,
        ge=1,
        description="Maximum number of keys per window and partition; the rest are counted together",
    )
    top_keys: int = Field(
        5_000,
        ge=1,
        description="Maximum number of keys that a rule evaluates per partition, by volume; the rest are "
        "evaluated together",
    )
    snapshot_interval_s: int = Field(
        3600, ge=60, le=86_400, description="How often a key's baseline is stored; in between, its counts are stored"
    )
    group: str = Field(
        "alerter",
        pattern=r"^[a-zA-Z0-9._-]{1,100}$",
        description="Consumer group, and name of the changelog topic, both after the topic prefix",
    )
    instance: str = Field(
        "0",
        pattern=r"^[a-zA-Z0-9._-]{1,100}$",
        description="Name of this process within the group; must stay the same over restarts",
    )
    session_timeout_s: float = Field(
        10, ge=1, le=60, description="Time without a heartbeat after which the group gives the partitions to others"
    )
    health_port: int = Field(0, ge=0, le=65_535, description="Port of /live, /ready and /metrics; 0: none")
    webhook_url: SecretStr | None = Field(None, description="URL that receives every alert as JSON")
    webhook_key: SecretStr | None = Field(None, description="Key that signs the webhook's requests (HMAC-SHA256)")
    webhook_key_version: str = Field(
        "1", pattern=r"^[a-zA-Z0-9]{1,16}$", description="Version of that key, sent with each request"
    )
    slack_url: SecretStr | None = Field(None, description="URL of a Slack incoming webhook")
    teams_url: SecretStr | None = Field(None, description="Webhook URL of a Microsoft Teams workflow")
    pagerduty_key: SecretStr | None = Field(None, description="Integration key of an Events API v2 integration")
    pagerduty_url: str = Field(
        "https://events.pagerduty.com/v2/enqueue",
        description="PagerDuty's events endpoint; in the EU https://events.eu.pagerduty.com/v2/enqueue",
    )
    alertmanager_url: SecretStr | None = Field(
        None,
        description="Base URL of Alertmanager; of a cluster all members, comma-separated: members do not share alerts",
    )
    alertmanager_token: SecretStr | None = Field(None, description="Bearer token for Alertmanager")
    alertmanager_resend_s: float = Field(
        60,
        ge=5,
        le=3600,
        description="How often a firing alert is sent again; each time it is set to end four intervals later",
    )
    email_to: list[str] = Field([], description="Recipients of e-mails; needs the extra `email`")
    email_from: str = Field("triage <triage@localhost>", description="Sender of e-mails, with or without a name")
    smtp_host: str = Field("localhost", description="Host of the mail server")
    smtp_port: int = Field(587, ge=1, le=65_535, description="Port of the mail server")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="Encryption of the connection to the mail server; starttls is required, and none sends no password",
    )
    smtp_username: str | None = Field(None, description="User at the mail server")
    smtp_password: SecretStr | None = Field(None, description="Password of that user")
    smtp_ca_certs: Path | None = Field(None, description="PEM file with the CA certificate of the mail server")
    wecom_url: SecretStr | None = Field(None, description="Webhook URL of a WeCom group robot, with its key")
    dingtalk_url: SecretStr | None = Field(None, description="Webhook URL of a DingTalk group robot, with its token")
    dingtalk_secret: SecretStr | None = Field(
        None, description="Secret of the DingTalk robot, if its security setting is a signature"
    )
    notify_timeout_s: float = Field(10, gt=0, description="Timeout of a request to a receiver")
    notify_give_up_s: float = Field(
        6 * 3600, gt=0, description="How long an undelivered notification is retried before it is dropped"
    )
    notify_backoff_initial_s: float = Field(1, gt=0, description="Wait before the first retry; it doubles each time")
    notify_backoff_max_s: float = Field(60, gt=0, description="Longest wait between two retries")
    console_url: str = Field("http://127.0.0.1:8080", description="Base URL of the console, for links in notifications")
    link_keys: SecretStr | None = Field(
        None,
        description="Keys that sign links in notifications, by which readers acknowledge, snooze, silence and assess; "
        "comma-separated: the first signs, all are accepted. The same for alerters and consoles; default: no links",
    )
    link_hours: float = Field(24, gt=0, le=24 * 30, description="How long such a link works; each works once")
    link_viewers: list[str] = Field(
        [], description="Receivers whose links need an operator's login, e.g. a channel that many people read: [slack]"
    )
    morning_hour: int = Field(8, ge=0, le=23, description="Hour, in time_zone, at which a snooze until morning ends")
    kibana_url: str | None = Field(None, description="Base URL of Kibana, for links in notifications")
    language: Literal["en", "zh"] = Field("en", description="Language of notifications")
    time_zone: ZoneName = Field(
        "UTC",
        description="Zone of the times in notifications, e.g. Asia/Shanghai; UTC follows them. In the console, of "
        "readers whose own zone is not known",
    )

    def link_key_list(self) -> list[str]:
        """The keys that sign links in notifications; the first signs new links, the others only verify older ones."""
        given = self.link_keys.get_secret_value() if self.link_keys else ""
        return [key.strip() for key in given.split(",") if key.strip()]

    @field_validator("link_keys")
    @classmethod
    def _link_keys_long_enough(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is not None:
            given = [key.strip() for key in keys.get_secret_value().split(",")]
            for number, key in enumerate(given, 1):
                require_length(SecretStr(key), _MIN_LINK_KEY_CHARS, f"key {number} of {len(given)}")
        return keys

    @field_validator("webhook_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        return require_length(key, _MIN_KEY_CHARS)

    def in_clear_text(self) -> list[Exposure]:
        """Secrets that are sent to receivers of notifications over http to another machine."""
        found = []
        for name in self._receiver_urls():
            for url in self._urls_of(name):
                secret = self._secret_sent_to(name, url)
                if secret and leaves_in_clear(url):
                    found.append(Exposure(name, f"{secret} and alerts cross the network", "use https"))
        return list(dict.fromkeys(found))

    def _secret_sent_to(self, name: str, url: str) -> str:
        """The secret that a request to this receiver carries; empty: none."""
        if has_credentials(url) or (name == "webhook_url" and "?" in url):
            return "its credentials"
        if name == "pagerduty_url":
            return "pagerduty_key" if self.pagerduty_key else ""
        if name == "alertmanager_url":
            return "alertmanager_token" if self.alertmanager_token else ""
        if name == "webhook_url":
            return "signatures (webhook_key)" if self.webhook_key else ""
        return "its address, which is its password,"

    def _urls_of(self, name: str) -> list[str]:
        given = getattr(self, name)
        value = given.get_secret_value() if isinstance(given, SecretStr) else given or ""
        urls = value.split(",") if name == "alertmanager_url" else [value]
        return [url.strip() for url in urls] if value else []

    @model_validator(mode="after")
    def _receivers_fit(self) -> "AlertingSettings":
        # The value is not shown: the address of a webhook is its password.
        problems = [
            f"{name} must begin with http:// or https://"
            for name in self._receiver_urls()
            if any(not re.match(r"https?://[^/\s]+", url) for url in self._urls_of(name))
        ]
        if bad := [
            address for address in [*self.email_to, self.email_from] if not re.search(r"[^@\s<]@[^@\s>]", address)
        ]:
            problems.append(f"not an e-mail address: {', '.join(map(repr, bad))}")
        if (self.smtp_username is None) != (self.smtp_password is None):
            problems.append("smtp_username and smtp_password must be set together")
        if self.smtp_username is not None and self.smtp_security == "none":
            problems.append("smtp_security none would send smtp_password unencrypted; use starttls or tls")
        if self.link_keys is not None and not re.match(r"https?://[^/\s]+", self.console_url):
            problems.append("console_url must begin with http:// or https://: links in notifications lead there")
        if self.dingtalk_secret is not None and self.dingtalk_url is None:
            problems.append("dingtalk_secret is set without dingtalk_url")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @classmethod
    def _receiver_urls(cls) -> list[str]:
        links = {"console_url", "kibana_url"}
        return [name for name in cls.model_fields if name.endswith("_url") and name not in links]
