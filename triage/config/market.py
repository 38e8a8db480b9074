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
