"""Settings of the worker and its model: batches, limits, redaction, rules, replays."""

import re
import socket
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator

from triage.config.lengths import require_length
from triage.config.section import Section
from triage.config.zones import ZoneName

DEMO_AUTHOR_KEY = "triage-demo-key"
"""The default of `redaction.author_key`: public, for trials on one machine."""
_MIN_KEY_CHARS = 16


class ModelSettings(Section):
    """Settings of the served model: its folder, and the device and number format that it runs with."""

    path: Path | None = Field(None, description="Model folder; default: the one named by CURRENT in the registry")
    registry: Path | None = Field(None, description="Folder of the model folders and CURRENT; default: onnx/")
    device: Literal["auto", "cpu", "cuda", "openvino"] = Field(
        "auto",
        description="cpu and cuda use ONNX Runtime; auto: cuda, else openvino on a CPU with bf16, else cpu",
    )
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"] = Field(
        "auto",
        description="Number format; auto: fp16 on CUDA, bf16 with OpenVINO on a CPU that has it, else fp32",
    )
    cache_dir: Path = Field(Path(".triage/models"), description="Folder for fp16 variants made from model.onnx")
    allow_fallback: bool = Field(False, description="Continue with a warning if the requested device is not used")
    threads: int = Field(0, ge=0, description="Threads of the model; 0: one per core that the container may use")
    streams: int = Field(
        0, ge=0, le=64, description="Concurrent model calls, which share the threads; 0: the runtime's best"
    )
    batch_tokens: int = Field(
        0,
        ge=0,
        le=262_144,
        description="Maximum number of tokens per model call, padding included; 0: the runtime's best",
    )
    max_tokens: int = Field(
        256, ge=16, le=512, description="Maximum number of tokens of a text that the model reads as a whole"
    )
    max_windows: int = Field(
        128,
        ge=1,
        le=512,
        description="A text of more than max_tokens is read in at most this many windows of up to 32 tokens; of one "
        "that needs more, the middle is left out, and it is flagged truncated; 1: it is cut at max_tokens",
    )
    shadow: Path | None = Field(
        None, description="Folder of a second model that classifies a share of the batches for comparison"
    )
    shadow_share: float = Field(0.1, gt=0, le=1, description="Share of the batches that the shadow model classifies")
    shadow_max_texts: int = Field(
        64, ge=1, le=10_000, description="Maximum number of texts per batch for the shadow model"
    )


class WorkerSettings(Section):
    """Settings of `triage worker`: batches, limits and timeouts."""

    group: str = Field("triage", description="Consumer group")
    fleet: str = Field("triage", pattern=r"^[a-zA-Z0-9._-]{1,100}$", description="Prefix of the transactional ids")
    slot: str = Field(
        default_factory=lambda: re.sub(r"[^a-zA-Z0-9._-]", "-", socket.gethostname())[:100] or "0",
        pattern=r"^[a-zA-Z0-9._-]{1,100}$",
        description="Name of this process within the fleet; must stay the same over restarts; default: the host's name",
    )
    channels: list[Literal["complaint", "review", "social"]] = Field(
        ["complaint", "review", "social"], min_length=1, description="Channels whose raw topics are read"
    )
    channel_weights: dict[Literal["complaint", "review", "social"], Annotated[int, Field(ge=1, le=1_000)]] = Field(
        {},
        description="Share of a batch for each partition of a channel while several have records, "
        'e.g. {"complaint": 5}; others have 1',
    )
    max_batch_records: int = Field(512, ge=1, le=10_000, description="Maximum number of records per transaction")
    batches_in_flight: int = Field(
        3,
        ge=1,
        le=16,
        description="Batches processed concurrently: one is enriched, one stored and committed, others wait",
    )
    batch_wait_ms: int = Field(
        100, ge=1, le=5_000, description="Longest wait to fill a batch while another is processed"
    )
    batch_target_ms: int = Field(
        1_000, ge=50, le=10_000, description="Under load, batches grow until enriching one takes this long"
    )
    transaction_timeout_ms: int = Field(
        10_000, ge=1_000, le=900_000, description="Time after which the broker aborts an open transaction"
    )
    session_timeout_ms: int = Field(
        10_000,
        ge=1_000,
        le=1_800_000,
        description="Time without a heartbeat after which the group gives the partitions to others",
    )
    heartbeat_interval_ms: int = Field(
        3_000, ge=100, le=600_000, description="Interval of heartbeats; at most a third of session_timeout_ms"
    )
    max_poll_interval_ms: int = Field(
        300_000, ge=10_000, description="Time without a poll after which the group gives the partitions to others"
    )
    drain_timeout_s: float = Field(20, gt=0, description="How long the worker finishes batches in flight after SIGTERM")
    region_names: Literal["as_sent", "en", "zh"] = Field(
        "as_sent",
        description="Names of known places in `region`: as sources send them, or one name per place in this language, "
        "so that Wuhan and 武汉 are one region (alerting.places)",
    )
    cached_predictions: int = Field(
        4_096,
        ge=0,
        le=1_000_000,
        description="Number of recent texts whose predictions are kept for equal texts, some 2 to 5 KB each; 0: none",
    )
    max_text_chars: int = Field(
        20_000, ge=1, le=1_000_000, description="Longest text of a record; a longer one is a dead letter"
    )
    rating_scale: float = Field(
        5,
        ge=0,
        le=100,
        description="Best value of the field `rating`, which is evidence of the sentiment; values above it are not; "
        "0: the field is not evidence",
    )
    max_future_hours: float = Field(
        24, gt=0, description="How far `created_at` may lie in the future; a later one is a dead letter"
    )
    sources_with_updates: list[str] = Field(
        [],
        description="Values of `source` whose records are sent again with every change, as by a help desk: alerts "
        "count each id once per window",
    )
    max_ahead_s: float = Field(
        300,
        ge=0,
        description="How far `created_at` may be ahead of the broker's timestamp; a later one is flagged "
        "time_implausible and counts for alerts at the broker's time; 0: not checked",
    )
    time_zones: dict[str, ZoneName] = Field(
        {},
        description="Time zones of times without an offset, by source, by channel or by channel/source, "
        'e.g. {"jd": "Asia/Shanghai"}; others are UTC',
    )
    max_attribute_bytes: int = Field(
        32_768, ge=0, description="Maximum size of a record's attributes; the rest is dropped"
    )
    max_attributes: int = Field(100, ge=0, description="Maximum number of attributes per record; the rest is dropped")
    lag_warning: int = Field(
        10_000, ge=0, description="Records waiting in a worker's partitions above which it logs a warning; 0: never"
    )
    health_port: int = Field(0, ge=0, le=65_535, description="Port of /live, /ready and /metrics; 0: none")
    reload_poll_s: float = Field(
        5, ge=0, description="How often a worker checks for a new model or changed rules; 0: only on SIGHUP"
    )
    backoff_initial_s: float = Field(0.5, gt=0, description="Wait before the first retry; it doubles each time")
    backoff_max_s: float = Field(30, gt=0, description="Longest wait between two retries")
    dead_letters_in_a_row: int = Field(
        500, ge=0, description="Consecutive dead letters after which the worker exits with status 65; 0: no limit"
    )
    dead_letter_ratio: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of dead letters among the last records above which it exits too; 1: no limit",
    )
    dead_letter_window: int = Field(
        2_000, ge=10, le=100_000, description="Number of last records of which that share is taken"
    )
    offset_patience_s: float = Field(
        30,
        ge=0,
        description="How long committed offsets may be behind the output before the worker resumes from the output; "
        "0: committed offsets are used unchecked",
    )
    data_dir: Path = Field(
        Path(".triage/worker"),
        description="Folder for the journal of the batches in flight, a few hundred bytes; must outlive the process",
    )
    crash_attempts: int = Field(
        3, ge=2, le=100, description="Crashes with a record alone in a batch after which it becomes a dead letter"
    )
    stuck_after_s: float = Field(
        180,
        ge=1,
        description="Time without progress of a loop or model call after which /live fails and stacks are logged; "
        "for `triage serve` and `triage console`, too",
    )
    stuck_exit_s: float = Field(30, ge=0, description="Time after that until the process exits with status 70")

    def zone_of(self, channel: str, source: str | None) -> ZoneInfo | None:
        """The time zone of timestamps without an offset; None if no zone is set.

        Looked up by `channel/source`, then source, then channel.
        """
        zones = self.time_zones
        if not zones:
            return None
        name = zones.get(f"{channel}/{source}") or zones.get(source or "") or zones.get(channel)
        return ZoneInfo(name) if name else None

    @model_validator(mode="after")
    def _times_fit(self) -> "WorkerSettings":
        if self.heartbeat_interval_ms * 3 > self.session_timeout_ms:
            raise ValueError("heartbeat_interval_ms must be at most a third of session_timeout_ms")
        if 0 < self.offset_patience_s * 1000 < self.transaction_timeout_ms:
            raise ValueError(
                f"offset_patience_s must be 0 or at least transaction_timeout_ms, here "
                f"{self.transaction_timeout_ms / 1000:g}: a transaction may stay open that long"
            )
        return self


class ReplaySettings(Section):
    """Settings of `triage replay`, which can run at the same time as workers."""

    rate: float = Field(200, gt=0, le=1_000_000, description="Maximum number of records per second")
    batch_records: int = Field(64, ge=1, le=10_000, description="Maximum number of records per transaction")


class RedactionSettings(Section):
    """Settings of the redaction of personal data, which precedes storing and publishing."""

    kinds: list[str] | None = Field(
        None, description="Kinds to redact; default: those that are on by default (docs/redaction.md)"
    )
    also: list[str] = Field([], description="Kinds to redact in addition, e.g. order_id")
    names: bool = Field(
        False,
        description="Also redact names of persons and postal addresses, found by the model (docs/redaction.md)",
    )
    region: str = Field("US", pattern=r"^[A-Z]{2}$", description="Country of phone numbers without a + prefix")
    author_key: SecretStr = Field(SecretStr(DEMO_AUTHOR_KEY), description="Key of the HMAC that replaces author ids")
    author_key_version: str = Field("1", pattern=r"^[a-z0-9]{1,8}$", description="Version of that key")
    old_author_keys: dict[Annotated[str, Field(pattern=r"^[a-z0-9]{1,8}$")], SecretStr] = Field(
        {}, description="Former keys by version, so that `triage forget` and replays find records hashed with them"
    )

    @property
    def uses_demo_key(self) -> bool:
        """True if author hashes are made with the public demo key."""
        return self.author_key.get_secret_value() == DEMO_AUTHOR_KEY

    @field_validator("author_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        # Former keys may be shorter: what was hashed with them must still be found.
        if key.get_secret_value() != DEMO_AUTHOR_KEY:
            require_length(key, _MIN_KEY_CHARS)
        return key


class RulesSettings(Section):
    """Settings of the rules that determine severity and route."""

    path: Path | None = Field(None, description="File of rules; default: triage/rules/default.yaml")
