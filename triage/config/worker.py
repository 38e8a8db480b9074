"""The model that judges and the worker around it: batches, limits, redaction, rules, replays."""

import re
import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from triage.config.section import Section


class ModelSettings(Section):
    path: Path | None = Field(None, description="Model folder; default: the one that CURRENT in the registry names")
    registry: Path | None = Field(None, description="Folder with the model folders and CURRENT; default: onnx/")
    device: Literal["auto", "cpu", "cuda", "openvino"] = Field(
        "auto",
        description="cpu, cuda: ONNX Runtime; auto: CUDA, else OpenVINO on a CPU that multiplies bf16, else cpu",
    )
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"] = Field(
        "auto", description="auto: fp16 on CUDA, bf16 with OpenVINO on a CPU that multiplies it, else fp32"
    )
    cache_dir: Path = Field(Path(".triage/models"), description="Where the fp16 form made from model.onnx is kept")
    allow_fallback: bool = Field(False, description="Go on with a warning when the device asked for is not in use")
    threads: int = Field(0, ge=0, description="Threads of the model; 0: one for each core that the container may use")
    streams: int = Field(
        0, ge=0, le=64, description="Model calls side by side, which share the threads; 0: as suits the runtime"
    )
    batch_tokens: int = Field(
        0, ge=0, le=262_144, description="Token budget of one model call, padding included; 0: as suits the runtime"
    )
    max_tokens: int = Field(256, ge=16, le=512, description="A longer text is cut here and flagged truncated")
    shadow: Path | None = Field(None, description="Model folder that judges a share of the batches too, for comparison")
    shadow_share: float = Field(0.1, gt=0, le=1, description="Share of the batches that the shadow model sees")
    shadow_max_texts: int = Field(64, ge=1, le=10_000, description="Most texts of one batch for the shadow model")


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
    batches_in_flight: int = Field(
        3, ge=1, le=16, description="One is worked on, one stored and committed, the rest wait; 1: one after the other"
    )
    batch_wait_ms: int = Field(
        100, ge=1, le=5_000, description="Longest wait to fill a batch while another is under way"
    )
    batch_target_ms: int = Field(
        1_000, ge=50, le=10_000, description="Under pressure batches grow until one is worked on for so long"
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
    reload_poll_s: float = Field(
        5, ge=0, description="How often a worker looks for a new model or changed rules; 0: only on SIGHUP"
    )
    backoff_initial_s: float = Field(0.5, gt=0)
    backoff_max_s: float = Field(30, gt=0)
    dead_letters_in_a_row: int = Field(
        500, ge=0, description="So many records in a row that become dead letters end the worker, exit 65; 0: no limit"
    )
    dead_letter_ratio: float = Field(
        0.5, gt=0, le=1, description="A larger share of dead letters among the last records ends it too; 1: no limit"
    )
    dead_letter_window: int = Field(2_000, ge=10, le=100_000, description="So many records back the share is taken")
    offset_patience_s: float = Field(
        30,
        ge=0,
        description="How long Kafka may take to know the offsets again that the output shows; 0: any are taken at once",
    )
    data_dir: Path = Field(
        Path(".triage/worker"),
        description="Journal of the batch in hand, a few hundred bytes; must outlive the process",
    )
    crash_attempts: int = Field(
        3, ge=2, le=100, description="Times a record may end the process, alone in hand, before it is dead-lettered"
    )
    stuck_after_s: float = Field(
        180, ge=1, description="A loop or model call that stands still so long is hung: /live fails, stacks are logged"
    )
    stuck_exit_s: float = Field(30, ge=0, description="Seconds after that until the process ends with exit status 70")

    @model_validator(mode="after")
    def _times_fit(self) -> "WorkerSettings":
        if self.heartbeat_interval_ms * 3 > self.session_timeout_ms:
            raise ValueError("heartbeat_interval_ms must be at most a third of session_timeout_ms")
        if 0 < self.offset_patience_s * 1000 < self.transaction_timeout_ms:
            raise ValueError(
                f"offset_patience_s must be 0 or at least transaction_timeout_ms, here "
                f"{self.transaction_timeout_ms / 1000:g}: a transaction that is only still open is waited for"
            )
        return self


class ReplaySettings(Section):
    """`triage replay`, which runs beside the workers."""

    rate: float = Field(200, gt=0, le=1_000_000, description="Most records a second")
    batch_records: int = Field(64, ge=1, le=10_000, description="Most records in one transaction")


class RedactionSettings(Section):
    kinds: list[str] | None = Field(
        None, description="Kinds to redact; default: those on by default (docs/redaction.md)"
    )
    also: list[str] = Field([], description="Kinds redacted besides the default ones, as order_id")
    region: str = Field("US", pattern=r"^[A-Z]{2}$", description="Country assumed for phone numbers without a + prefix")
    author_key: SecretStr = Field(SecretStr("triage-demo-key"), description="Key of the HMAC that replaces author ids")
    author_key_version: str = Field("1", pattern=r"^[a-z0-9]{1,8}$")
    old_author_keys: dict[Annotated[str, Field(pattern=r"^[a-z0-9]{1,8}$")], SecretStr] = Field(
        {}, description="Former keys by their versions: `triage forget` and replays find records that carry them"
    )


class RulesSettings(Section):
    path: Path | None = Field(None, description="Rules for severity and routing; default: triage/rules/default.yaml")
