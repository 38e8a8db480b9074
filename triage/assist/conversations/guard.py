"""Determines if a person must take over, before the bot replies."""

from collections.abc import Sequence

from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.patterns import compiled
from triage.assist.conversations.wishes import prepared, wants_person
from triage.rules import Facts, RuleSet, load_rules

# Rules of the shipped file, which the guard always applies, whatever rules the owner has.
_NEVER_BY_BOT = {
    "danger_to_people": "safety",
    "life_at_risk": "safety",
    "fraud": "fraud",
    "fraud_words": "fraud",
    "legal_or_regulator": "legal",
    "press": "legal",
}
_RISKS = {"danger": "safety", "self_harm": "safety", "fraud": "fraud", "legal_threat": "legal"}
_ORDER = ("safety", "fraud", "legal")
_SEVERE = frozenset({"high", "critical"})
_VERY_NEGATIVE = -0.6
_FALL = 0.1
# More than the rules of severity look for: a bot must rather hand over once too often here.
_MORE = {name: tuple(compiled(name).values()) for name in _ORDER}


class Guard:
    """Finds reasons for which a person must take over a conversation. Thread-safe."""

    def __init__(self, rules: RuleSet | None = None) -> None:
        """`rules` are the rules whose names mean safety, fraud and legal; None: those that are shipped."""
        self._rules = rules or load_rules(None)

    def reason(self, facts: TurnFacts, sentiments: Sequence[float] = (), *, answers: bool = False) -> str | None:
        """Return the reason for a hand-off to a person now; None if there is none.

        `sentiments` are the scores (-1 to 1) of the customer's earlier turns, oldest first. `answers`: the turn answers
        the bot's question. Then severity, tone and a fraud that only the model sees are no reasons: "not yet" and
        "both are pending" are short, and sound negative without their question.
        """
        text = prepared(facts.text)
        named = {_NEVER_BY_BOT[name] for name in facts.rules if name in _NEVER_BY_BOT}
        named |= {_RISKS[label] for label in facts.risks if label in _RISKS}
        if answers:
            named.discard("fraud")
        named |= {_NEVER_BY_BOT[name] for name in self._fired(facts) if name in _NEVER_BY_BOT}
        named |= {name for name, patterns in _MORE.items() if any(each.search(text) for each in patterns)}
        for name in _ORDER:
            if name in named:
                return name
        if wants_person(text):
            return "asked_for_person"
        if answers:
            return None
        if facts.severity in _SEVERE:
            return "severe"
        return "negative_and_falling" if _falls([*sentiments, facts.sentiment_score]) else None

    def _fired(self, facts: TurnFacts) -> list[str]:
        decided = self._rules.decide(
            Facts(
                text=facts.text,
                channel="complaint",
                intent=facts.intent,
                intent_confidence=facts.intent_confidence,
                sentiment=facts.sentiment,
                sentiment_score=facts.sentiment_score,
                language=facts.language,
                entities=frozenset(label for label, _ in facts.entities),
            )
        )
        return decided.severity.rules


def _falls(scores: Sequence[float]) -> bool:
    """True if the customer is very negative in two turns in a row, and more so in the last one."""
    if len(scores) < 2:
        return False
    before, last = scores[-2:]
    return before < _VERY_NEGATIVE and last < before - _FALL
