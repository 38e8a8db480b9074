"""Settings of the HTTP API: address, logins and limits."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from triage.config.lengths import require_length
from triage.config.section import Section
from triage.config.web import WebSettings

_MIN_SECRET_CHARS = 16
_RECORD_FIELDS = frozenset(
    {
        "text",
        "id",
        "created_at",
        "version",
        "source",
        "author_id",
        "brand",
        "product",
        "region",
        "language",
        "url",
        "rating",
    }
)
_RESOLUTION_FIELDS = frozenset({"record", "id", "source", "channel", "answer", "outcome", "resolution", "at", "actor"})


class WebhookSignature(Section):
    """Signature by which a help desk proves that a webhook comes from it."""

    scheme: Literal["zendesk", "github"] = Field(
        description="zendesk: base64 HMAC-SHA256 of timestamp and body; github: X-Hub-Signature-256"
    )
    secret: SecretStr = Field(description="The secret that the desk signs with")

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        return require_length(secret, _MIN_SECRET_CHARS) or secret


class ApiSettings(WebSettings):
    """Settings of `triage serve`, the HTTP API.

    Viewers can enrich texts, which stores nothing; operators can also send feedback and corrections.
    """

    port: int = Field(8082, ge=0, le=65_535, description="Port to listen on; 0: any free one")
    max_records: int = Field(100, ge=1, le=10_000, description="Most records of one request")
    max_body_bytes: int = Field(1024 * 1024, ge=1_024, le=64 * 1024 * 1024, description="Largest body of a request")
    records_per_minute: int = Field(6_000, ge=1, description="Records per caller; also the most at once")
    batch_records: int = Field(64, ge=1, le=1_000, description="Most records of concurrent requests in one model call")
    batch_wait_ms: float = Field(5, ge=0, le=1_000, description="Time that the first record waits for others")
    queue_records: int = Field(2_000, ge=1, description="Most waiting records; above, requests are told to retry")
    enrich_timeout_s: float = Field(30, gt=0, description="A request that waits longer is told to retry")
    remember_sent: int = Field(
        20_000, ge=0, description="Sent records that are remembered: one that is sent again is answered, not duplicated"
    )
    mappings: dict[str, dict[str, str]] = Field(
        {},
        description="By webhook name: record field = path in its JSON (`detail.description`), or a constant in quotes",
    )

    resolution_mappings: dict[str, dict[str, str]] = Field(
        {},
        description="By webhook name: field of a resolution (record or id, source, channel; answer, outcome, "
        "resolution, at, actor) = path in its JSON, or a constant in quotes",
    )

    webhook_signatures: dict[str, WebhookSignature] = Field(
        {},
        description="By webhook name: {scheme, secret}; the signature is then required, and a token is not",
    )

    @model_validator(mode="after")
    def _mappings_fit(self) -> "ApiSettings":
        problems = [
            f"webhook_signatures.{name}: mappings has no {name}"
            for name in self.webhook_signatures
            if name not in {*self.mappings, *self.resolution_mappings}
        ]
        problems += [
            f"resolution_mappings.{name}: mappings has {name} too"
            for name in self.resolution_mappings
            if name in self.mappings
        ]
        for name, mapping in self.resolution_mappings.items():
            if not {"answer", "outcome"} <= mapping.keys() or not {"record", "id"} & mapping.keys():
                problems.append(f"resolution_mappings.{name}: needs answer, outcome, and record or id")
            unknown = sorted(mapping.keys() - _RESOLUTION_FIELDS)
            problems += [f"resolution_mappings.{name}: {field} is not a field of a resolution" for field in unknown]
        for name, mapping in self.mappings.items():
            if "text" not in mapping:
                problems.append(f"mappings.{name}: has no text")
            for field in mapping:
                known = field in _RECORD_FIELDS or field == "channel" or field.startswith("attributes.")
                if not known:
                    problems.append(f"mappings.{name}: {field} is not a field of a record, nor attributes.NAME")
        if problems:
            raise ValueError("; ".join(problems))
        return self
