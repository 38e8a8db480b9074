"""Settings of the console: address, logins, sessions and pages."""

from pydantic import Field, SecretStr

from triage.config.web import WebSettings


class ConsoleSettings(WebSettings):
    """The console. Viewers read, operators may also acknowledge, snooze, silence and correct labels."""

    session_key: SecretStr | None = Field(
        None,
        description="Signs sessions and forms; the same for all consoles behind one address; default: random",
    )
    session_hours: float = Field(12, gt=0, le=24 * 30)
    explain: bool = Field(True, description="Load the model at the first request, to show which words decided")
    export_rows: int = Field(50_000, ge=1, le=1_000_000, description="Most rows of one CSV export")
