"""The web page and who may log in."""

from pydantic import Field, SecretStr

from triage.config.web import WebSettings


class ConsoleSettings(WebSettings):
    """The web page. Viewers read, operators may also acknowledge, snooze, silence and correct labels."""

    session_key: SecretStr | None = Field(
        None, description="Signs sessions and forms; needed where several consoles share an address, else made at start"
    )
    session_hours: float = Field(12, gt=0, le=24 * 30)
    explain: bool = Field(
        True, description="Whether the console loads the model, at the first request, to show which words decided"
    )
    export_rows: int = Field(50_000, ge=1, le=1_000_000, description="Most rows of one CSV export")
