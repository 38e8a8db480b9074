"""Settings of answers with evidence: knowledge, sentence vectors, abstention."""

from pathlib import Path

from pydantic import Field

from triage.config.section import Section


class AssistSettings(Section):
    """Answers from your knowledge and from resolved cases.

    `triage knowledge`, `POST /v1/answers` and the console's panels.
    """

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
