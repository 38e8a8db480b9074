"""Settings of answers with evidence: knowledge, sentence vectors, abstention."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from triage.config.exposure import Exposure, leaves_in_clear
from triage.config.section import Section


class AssistEndpoint(Section):
    """A language model of your own that may rephrase quoted passages; off without `url`.

    It gets the redacted question and the passage. Its text is dropped if it holds what the passage does not.
    """

    url: str | None = Field(
        None, description="Base of an OpenAI-compatible API; `/chat/completions` is added. None: nothing is rephrased"
    )
    model: str = Field("default", min_length=1, max_length=200, description="Name of the model that is asked")
    token: SecretStr | None = Field(None, description="Sent as `Authorization: Bearer`")
    timeout_s: float = Field(2.0, gt=0, le=10, description="After this time the passage is said as it is")
    max_tokens: int = Field(300, ge=16, le=2_000, description="Most tokens of its answer")

    @model_validator(mode="after")
    def _address_fits(self) -> "AssistEndpoint":
        if self.url is not None:
            parts = urlsplit(self.url)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ValueError("url must be http(s)://host, e.g. http://127.0.0.1:8000/v1")
        return self


class AssistSettings(Section):
    """Answers from your knowledge and from resolved cases.

    `triage knowledge`, `POST /v1/answers` and the console's panels.
    """

    endpoint: AssistEndpoint = Field(
        AssistEndpoint(),
        description="Your language model that may rephrase a passage: {url, model, token, timeout_s, max_tokens}",
    )
    vectors: bool = Field(True, description="Use sentence vectors where the encoder is built; false: words alone")
    encoder_threads: int = Field(
        1, ge=1, le=256, description="Threads of one call of the sentence encoder; calls run next to each other"
    )
    min_confidence: float = Field(
        0.5, ge=0, le=1, description="An answer with less confidence that it is right is not given"
    )
    index_cases: bool = Field(True, description="`triage serve` follows the topic of resolutions and indexes cases")
    parameters: Path | None = Field(
        None, description="File of `triage knowledge evaluate --fit`; default: the shipped numbers"
    )
    console_confidence: float = Field(
        0.2,
        ge=0,
        le=1,
        description="The same on a record's page of the console, where a person reads the passage first",
    )
    max_question_chars: int = Field(
        2_000, ge=100, le=20_000, description="Characters of a question that are searched; the rest is cut"
    )
    own_contacts: list[str] = Field(
        [], description="Addresses and numbers of your company, which articles may hold; others are personal data"
    )
    passage_tokens: int = Field(200, ge=40, le=400, description="Most tokens of a passage of knowledge")

    def in_clear_text(self) -> list[Exposure]:
        """Questions of customers, and a token, that go to an endpoint over http on another machine."""
        url = self.endpoint.url
        if url is None or not leaves_in_clear(url):
            return []
        return [Exposure("endpoint.url", "the token and redacted questions cross the network", "use https")]
