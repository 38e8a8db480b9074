"""What is counted, when pages go out, and who receives them."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from triage.config.section import Section


class AlertingSettings(Section):
    rules: Path | None = Field(None, description="Alert rules; default: triage/alerting/rules/default.yaml")
    data_dir: Path = Field(Path(".triage/alerter"), description="Working files of the alerter")
    window_s: int = Field(300, ge=10, le=86_400, description="Step of the window counts that workers publish")
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
        description="Field combinations that are counted; [] counts everything",
    )
    group_by: Literal[
        "brand", "channel", "intent", "language", "severity", "queue", "source", "product", "region", "none"
    ] = Field(
        "brand",
        description="Alerts with one value of it are grouped, and parents among them mute children; none: all alerts",
    )
    group_wait_s: int = Field(30, ge=0, le=3600, description="A page waits so long for others of its group")
    group_interval_s: int = Field(300, ge=0, le=86_400, description="Between two pages of a group")
    repeat_interval_s: int = Field(
        4 * 3600, ge=60, le=30 * 86_400, description="A page that nobody acknowledged is repeated so often"
    )
    allowed_lateness_s: int = Field(600, ge=0)
    max_hold_s: float = Field(60, gt=0, description="Longest real wait for a lagging partition's watermark")
    max_page_age_s: int = Field(6 * 3600, gt=0, description="Windows closed longer ago are recorded, not paged")
    max_keys: int = Field(
        50_000,
        ge=1,
        description="Most keys per step and partition of the window counts; the rest are counted as others",
    )
    top_keys: int = Field(
        5_000, ge=1, description="Most keys that a rule watches in a partition, by volume; the rest are one, others"
    )
    snapshot_interval_s: int = Field(
        3600, ge=60, le=86_400, description="Each key's baseline is stored so often; between, its counts are kept"
    )
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
    webhook_key: SecretStr | None = Field(None, description="Signs what the webhook receives (HMAC-SHA256)")
    webhook_key_version: str = Field("1", pattern=r"^[a-zA-Z0-9]{1,16}$", description="Name of that key for receivers")
    slack_url: SecretStr | None = Field(None, description="Incoming webhook of Slack")
    pagerduty_key: SecretStr | None = Field(None, description="Integration key of an Events API v2 integration")
    pagerduty_url: str = Field(
        "https://events.pagerduty.com/v2/enqueue", description="https://events.eu.pagerduty.com/v2/enqueue in the EU"
    )
    alertmanager_url: SecretStr | None = Field(
        None, description="Base URL; of a cluster all members, comma-separated: they don't tell each other of alerts"
    )
    alertmanager_token: SecretStr | None = Field(None, description="Bearer token")
    alertmanager_resend_s: float = Field(
        60,
        ge=5,
        le=3600,
        description="A firing alert is sent again so often; it ends four times as long after the last",
    )
    email_to: list[str] = Field([], description="Recipients of e-mails; needs the extra email")
    email_from: str = Field("triage <triage@localhost>", description="Sender, with or without a name")
    smtp_host: str = "localhost"
    smtp_port: int = Field(587, ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls is demanded, not only tried; none sends no password"
    )
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_ca_certs: Path | None = Field(
        None, description="PEM file of the authority that signed the server's certificate"
    )
    wecom_url: SecretStr | None = Field(None, description="Webhook of a WeCom group robot, with its key")
    dingtalk_url: SecretStr | None = Field(None, description="Webhook of a DingTalk group robot, with its token")
    dingtalk_secret: SecretStr | None = Field(
        None, description="The robot's secret, if its security setting is a signature"
    )
    notify_timeout_s: float = Field(10, gt=0)
    notify_give_up_s: float = Field(6 * 3600, gt=0, description="A page that no attempt delivers is given up after it")
    notify_backoff_initial_s: float = Field(1, gt=0)
    notify_backoff_max_s: float = Field(60, gt=0)
    console_url: str = Field("http://127.0.0.1:8080", description="Base of the links in pages")
    kibana_url: str | None = None
    language: Literal["en", "zh"] = Field("en", description="Of the words in pages")

    @model_validator(mode="after")
    def _receivers_fit(self) -> "AlertingSettings":
        problems = []
        for name in ("webhook_url", "slack_url", "pagerduty_url", "alertmanager_url", "wecom_url", "dingtalk_url"):
            given = getattr(self, name)
            value = given.get_secret_value() if isinstance(given, SecretStr) else given or ""
            # Never shown: the address of a webhook is its password.
            if any(not re.match(r"https?://[^/\s]+", url.strip()) for url in value.split(",") if value):
                problems.append(f"{name} takes http(s)://...")
        if bad := [
            address for address in [*self.email_to, self.email_from] if not re.search(r"[^@\s<]@[^@\s>]", address)
        ]:
            problems.append(f"no e-mail address: {', '.join(map(repr, bad))}")
        if (self.smtp_username is None) != (self.smtp_password is None):
            problems.append("smtp_username and smtp_password go together")
        if self.smtp_username is not None and self.smtp_security == "none":
            problems.append("smtp_security none would send smtp_password in the clear; take starttls or tls")
        if self.dingtalk_secret is not None and self.dingtalk_url is None:
            problems.append("dingtalk_secret needs dingtalk_url")
        if problems:
            raise ValueError("; ".join(problems))
        return self
