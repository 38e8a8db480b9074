"""Settings of the console: address, logins, sessions and pages."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, field_validator

from triage.config.lengths import require_length
from triage.config.web import Token, WebSettings, normalized_prefix

_MIN_KEY_CHARS = 32


class ConsoleSettings(WebSettings):
    """Settings of the console. Viewers read; operators can also acknowledge, snooze, silence and correct labels."""

    path_prefix: Annotated[str, AfterValidator(normalized_prefix)] = Field(
        "",
        description="Path under which a proxy shows the console, e.g. /triage, whether or not the proxy removes it "
        "from requests; default: X-Forwarded-Prefix of trusted_proxies",
    )
    session_key: SecretStr | None = Field(
        None,
        description="Signs sessions and forms; the same for all consoles behind one address; default: random",
    )
    session_hours: float = Field(12, gt=0, le=24 * 30, description="Hours until a login expires")
    explain: bool = Field(True, description="Load the model at the first request, to show which words decided")
    export_rows: int = Field(50_000, ge=1, le=1_000_000, description="Most rows of one CSV export")

    @field_validator("tokens")
    @classmethod
    def _roles_of_people(cls, tokens: list[Token]) -> list[Token]:
        if any(token.role == "webhook" for token in tokens):
            raise ValueError("the role webhook is for api.tokens only")
        return tokens

    @field_validator("session_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        return require_length(key, _MIN_KEY_CHARS)
