"""Advises within a conversation: what the bot says is approved text, the catalogue's, or a review's, word for word."""

from triage.assist.conversations.answers import Advised
from triage.assist.guide.adviser import Adviser
from triage.assist.guide.model import Advice, GuideRequest, GuideState, Recommendation
from triage.assist.guide.notation import read, written
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.conversation import Said

log = get_logger("triage.conversations")

STEP = "guide"
"""Name of the step under which the bot recommends."""
_ASKED = "asked"
_SHOWN = 3
_MOST_DROPS = 2


class GuidedConversation:
    """The product guide as the bot's playbooks use it. Never raises."""

    def __init__(self, adviser: Adviser) -> None:
        self._adviser = adviser

    def advise(self, text: str, language: str, known: str) -> Advised:
        """Advise after a customer's turn.

        `known` is what the advice before left in the playbook's slot, at first empty. The outcome is found or
        missing, `failed` if the catalogue can't be read, None while the guide asks.
        """
        try:
            advice = self._adviser.advise(GuideRequest(text=text, language=language, k=_SHOWN, state=_state(known)))
        except TriageError as error:
            log.warning("guide_failed", error=str(error))
            return Advised([], known, "failed")
        kept = written(advice.constraints)
        if advice.state.asked:
            kept = f"{kept}; {_ASKED}={','.join(advice.state.asked)}".removeprefix("; ")
        if advice.ask is not None:
            labels = ", ".join(each.label for each in advice.ask.options)
            return Advised([Said(text=f"{advice.ask.text} ({labels})", step=STEP)], kept, None)
        return Advised(self._said(advice), kept, "found" if advice.fits else "missing")

    def _said(self, advice: Advice) -> list[Said]:
        texts, language = self._adviser.words.texts, advice.language
        if not advice.fits:
            said = [Said(text=texts.nothing[language], step=STEP)]
            for each in advice.drop[:_MOST_DROPS]:
                wish = "”, “".join(each.wishes)
                text = texts.drop[language].replace("{wish}", wish).replace("{n}", str(each.fits))
                said.append(Said(text=text, step=STEP))
            return said
        said = [Said(text=texts.found[language], step=STEP)]
        for item in advice.results:
            said.append(
                Said(text=_described(item, self._adviser.words.currency[language]), step=STEP, passage=item.passage)
            )
            reviews = item.reviews
            for span in [*reviews.speaking_for[:1], *reviews.against[:1]] if reviews is not None else []:
                said.append(Said(text=f"“{span.text}”", step=STEP, passage=span.record))
        return said


def _described(item: Recommendation, currency: str) -> str:
    price = item.prices.get(currency)
    head = item.name if price is None else f"{item.name}, {price:g} {currency}"
    return f"{head}\n{item.text}".strip()


def _state(known: str) -> GuideState:
    """The state that a slot keeps; empty if it is not one, as when a playbook was changed."""
    parts = [part.strip() for part in known.split(";") if part.strip()]
    asked = [name for part in parts if part.startswith(f"{_ASKED}=") for name in part[len(_ASKED) + 1 :].split(",")]
    try:
        constraints = read("; ".join(part for part in parts if not part.startswith(f"{_ASKED}=")))
    except ValueError:
        return GuideState()
    return GuideState(constraints=constraints, asked=asked)
