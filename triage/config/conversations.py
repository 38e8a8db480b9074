"""Settings of conversations: playbooks, limits, time-outs, webhooks."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from triage.config.exposure import Exposure, leaves_in_clear
from triage.config.section import Section


class PlaybookWebhook(Section):
    """An external service that playbooks query with `check: {webhook: NAME}`."""

    url: str = Field(description="Address that gets the slots as JSON and answers with a JSON object")
    token: SecretStr | None = Field(None, description="Sent as `Authorization: Bearer`")
    timeout_s: float = Field(2.0, gt=0, le=10, description="An answer after this time counts as failed")


class ConversationSettings(Section):
    """Conversations with customers, turn by turn.

    `POST /v1/conversations/{id}/turns`, `triage chat`, the console's page *Conversations*.
    """

    playbooks: Path | None = Field(None, description="Folder of playbooks; default: triage/assist/playbooks/shipped")
    policy: Path | None = Field(
        None, description="Folder that `triage playbooks fit` wrote; without it the graph ranks the next steps"
    )
    bot: bool = Field(True, description="Answer customers by playbooks; false: every conversation waits for a person")
    clarify_times: int = Field(2, ge=1, le=5, description="Turns that the bot may fail to understand in a row")
    max_bot_turns: int = Field(40, ge=1, le=200, description="Customer turns after which the bot hands over")
    topic: bool = Field(
        False, description="`triage serve` also answers the topic `turns`; the answers go to `answered-turns`"
    )
    max_turns: int = Field(200, ge=2, le=1_000, description="Turns of a conversation; later ones are refused")
    max_text_chars: int = Field(4_000, ge=100, le=20_000, description="Characters of a turn; longer ones are refused")
    time_out_minutes: float = Field(
        60, gt=0, le=60 * 24 * 30, description="A conversation without a turn for this time is closed"
    )
    waiting_time_out_hours: float = Field(
        72, gt=0, le=24 * 365, description="The same for a conversation that waits for a person"
    )
    webhooks: dict[str, PlaybookWebhook] = Field({}, description="By the name in playbooks: {url, token, timeout_s}")

    @model_validator(mode="after")
    def _addresses_fit(self) -> "ConversationSettings":
        problems = [
            f"webhooks.{name}.url must be http(s)://host"
            for name, hook in self.webhooks.items()
            if urlsplit(hook.url).scheme not in {"http", "https"} or not urlsplit(hook.url).hostname
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def in_clear_text(self) -> list[Exposure]:
        """Tokens, and slots of customers, that are sent to webhooks over http to another machine."""
        return [
            Exposure(f"webhooks.{name}.url", "the token and the slots cross the network", "use https")
            for name, hook in self.webhooks.items()
            if leaves_in_clear(hook.url) and hook.token is not None
        ]
