"""Settings of the market report."""

from pathlib import Path

from pydantic import Field

from triage.config.section import Section


class MarketSettings(Section):
    """Settings of the market report on own and competing brands and products.

    Used by `triage market` and the console's page *Market*.
    """

    path: Path | None = Field(None, description="File of brands and products (docs/market.md); without it no report")
    days: int = Field(7, ge=1, le=366, description="Days that the report covers, up to now")
    topic_confidence: float = Field(
        0.5, ge=0, le=1, description="Emerging topics: an intent with less confidence does not explain a record"
    )
    topic_records: int = Field(
        20_000, ge=100, le=100_000, description="Emerging topics: most records that are compared, of each time"
    )
