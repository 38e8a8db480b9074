"""Settings of the product guide."""

from pathlib import Path

from pydantic import Field

from triage.config.section import Section


class GuideSettings(Section):
    """Settings of the product guide, which recommends items of a catalogue.

    Used by `triage guide`, `POST /v1/guide`, playbooks of the kind guide, and the console's page *Guide*.
    """

    words: Path | None = Field(
        None, description="File of attributes, their words and questions (docs/guide.md); without it no guide"
    )
    questions: int = Field(3, ge=0, le=3, description="Most questions that the guide asks about one need")
    reviews: bool = Field(True, description="Show what reviews in the index say for and against an item")
    review_days: int = Field(180, ge=1, le=3650, description="Days of reviews, up to now")
    bought_together: bool = Field(
        False, description="Rank items higher that at least five orders have together with what the customer bought"
    )
