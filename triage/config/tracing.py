"""Settings of OpenTelemetry traces."""

from pydantic import Field

from triage.config.exposure import Exposure, has_credentials, leaves_in_clear
from triage.config.section import Section


class TracingSettings(Section):
    """Settings of OpenTelemetry traces; needs the extra `otel`.

    Options not set here follow the SDK's `OTEL_*` variables.
    """

    enabled: bool = Field(False, description="Whether spans are recorded and sent")
    endpoint: str | None = Field(
        None, pattern=r"^https?://[^\s/]+", description="Base URL of an OTLP/HTTP collector, e.g. http://127.0.0.1:4318"
    )
    sample_ratio: float = Field(
        1, ge=0, le=1, description="Share of the traces begun here that is recorded; a caller's decision is kept"
    )

    def in_clear_text(self) -> list[Exposure]:
        """Credentials in the collector's URL, if it is http to another machine."""
        if (
            not self.enabled
            or not self.endpoint
            or not (leaves_in_clear(self.endpoint) and has_credentials(self.endpoint))
        ):
            return []
        return [Exposure("endpoint", "its credentials cross the network", "use https")]
