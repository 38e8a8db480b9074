"""Settings of risk scores."""

from pathlib import Path

from pydantic import Field

from triage.config.section import Section


class RiskSettings(Section):
    """Risk scores of records, by models that `triage risk fit` made of your own records (docs/risk.md).

    Estimates for the order of work; never a decision about a person.
    """

    models: list[Path] = Field(
        [],
        description="Fitted files whose scores the worker, the API and `triage enrich` add to records; default: none",
    )
