"""Types of the guide's requests and advice, in the format of `POST /v1/guide`."""

import msgspec

from triage.assist.guide.constraints import Constraint

MOST_RESULTS = 20


class GuideState(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The wishes and questions after some turns; a client sends back what the last advice returned.

    `asked` names what was asked for so far, the last one not answered yet; `query` are the customer's words.
    """

    constraints: list[Constraint] = []
    asked: list[str] = []
    query: str = ""


class GuideRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A customer's turn. `bought` are items that they have, for the re-rank by orders, where it is switched on."""

    text: str
    language: str | None = None
    k: int = 3
    state: GuideState | None = None
    bought: list[str] = []


class ReviewSpan(msgspec.Struct, kw_only=True):
    """A part of a review, word for word: `text[start:end]` of the record, in code points, about an `aspect`."""

    text: str
    record: str
    aspect: str
    start: int
    end: int
    language: str
    at: str


class ReviewEvidence(msgspec.Struct, kw_only=True):
    """Reviews of an item's product that praise or blame an aspect: how many, and the newest words for and against."""

    praising: int
    blaming: int
    speaking_for: list[ReviewSpan] = msgspec.field(name="for")
    against: list[ReviewSpan]


class Recommendation(msgspec.Struct, kw_only=True):
    """An item that fits, with its text from the catalogue, its prices by currency, and what reviews say.

    `passage` is the id of the text; a higher `score` fits better.
    """

    item: str
    name: str
    text: str
    passage: str
    brand: str | None
    category: str
    prices: dict[str, float]
    url: str | None
    score: float
    reviews: ReviewEvidence | None = None


class AnswerOption(msgspec.Struct, kw_only=True):
    """A possible answer to a question of the guide, and the number of fitting items that have it."""

    label: str
    items: int
    value: str | None = None


class GuideQuestion(msgspec.Struct, kw_only=True):
    """The question that divides the fitting items best: its approved text, and its expected information in bits.

    `name` is the attribute, price or category that it asks for.
    """

    name: str
    text: str
    bits: float
    options: list[AnswerOption]


class Drop(msgspec.Struct, kw_only=True):
    """Wishes to give up, by `names` and in the customer's words (`wishes`), so that `fits` items fit."""

    names: list[str]
    wishes: list[str]
    fits: int


class Advice(msgspec.Struct, kw_only=True):
    """The guide's advice after a turn: `fits` items fulfil all constraints, `results` are the best of them.

    `ask` is the next question, None if the candidates are few or none would help. `drop` is given where nothing fits.
    `degraded`: the results are ranked without vectors, for the reason `why_degraded`. `incomplete`: the results lack
    what reviews say, for the reason `why_incomplete`.
    """

    language: str
    constraints: list[Constraint]
    fits: int
    results: list[Recommendation]
    ask: GuideQuestion | None
    drop: list[Drop]
    state: GuideState
    degraded: bool = False
    why_degraded: str | None = None
    incomplete: bool = False
    why_incomplete: str | None = None
