"""OpenTelemetry traces."""

from pydantic import Field

from triage.config.section import Section


class TracingSettings(Section):
    """Off unless switched on; needs the extra `otel`. What is not set here, `OTEL_*` variables of the SDK say."""

    enabled: bool = Field(False, description="Whether spans are recorded and sent")
    endpoint: str | None = Field(
        None, pattern=r"^https?://[^\s/]+", description="Base URL of an OTLP/HTTP collector, as http://127.0.0.1:4318"
    )
    sample_ratio: float = Field(1, ge=0, le=1, description="Share of traces that begin here and are recorded")
