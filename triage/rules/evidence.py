"""Explains why rules fired: for each condition that held, the value that met it and its place in the text."""

from collections.abc import Iterator

from triage.rules.conditions import Case, compiled
from triage.rules.engine import MAX_TEXT_CHARS, RuleSet
from triage.rules.facts import Facts, facts_of
from triage.rules.model import RoutingRule, SeverityRule, When
from triage.rules.phrases import PhraseIndex, locate, occurrences
from triage.rules.regexes import compiled as compiled_regex
from triage.rules.statements import states
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.explanation import Evidence, RuleExplanation

_FIELDS = ("channel", "intent", "sentiment", "language", "brand", "product", "region", "source")
_LIMITS = {
    "sentiment_below": ("sentiment_score", "<"),
    "sentiment_above": ("sentiment_score", ">"),
    "intent_confidence_at_least": ("intent_confidence", ">="),
    "intent_confidence_below": ("intent_confidence", "<"),
    "rating_at_most": ("rating", "<="),
    "rating_at_least": ("rating", ">="),
}


def explain_rules(rules: RuleSet, record: EnrichedRecord) -> list[RuleExplanation]:
    """Explain the rules named in the record, in the order of the file, each with its evidence.

    Rules that `rules` does not contain, or that no longer hold, are left out: the record was decided by another
    version.
    """
    facts = facts_of(record)
    return [
        RuleExplanation(rule.name, part, _effect(rule), list(_evidence(rule.when, facts, record)) if rule.when else [])
        for part, listed, fired in (
            ("severity", rules.file.severity, record.severity.rules),
            ("routing", rules.file.routing, record.route.rules),
        )
        for rule in listed
        if rule.name in fired and _holds(rule.when, facts)
    ]


def _effect(rule: SeverityRule | RoutingRule) -> str:
    if isinstance(rule, RoutingRule):
        return f"queue {rule.queue}"
    return f"set {rule.set_to}" if rule.set_to is not None else f"raise {rule.raise_by}"


def _holds(when: When | None, facts: Facts) -> bool:
    index = PhraseIndex()
    test = compiled(when, index)
    return test(Case(facts, index.find(facts.text[:MAX_TEXT_CHARS])))


def _evidence(when: When, facts: Facts, record: EnrichedRecord) -> Iterator[Evidence]:
    """Yield evidence for the conditions that hold."""
    yield from _of_fields(when, facts, record)
    yield from _of_text(when, facts)
    for part in when.all_of or ():
        yield from _evidence(part, facts, record)
    for part in when.any_of or ():
        if _holds(part, facts):
            yield from _evidence(part, facts, record)
    if when.not_:
        excluded = when.not_.model_dump(exclude_none=True, by_alias=True)
        yield Evidence("not", "; ".join(f"{name}: {_shown(value)}" for name, value in excluded.items()))


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _of_fields(when: When, facts: Facts, record: EnrichedRecord) -> Iterator[Evidence]:
    for name in _FIELDS:
        if getattr(when, name) is not None:
            yield Evidence(name, str(getattr(facts, name)))
    for flag in when.flags or ():
        if flag in facts.flags:
            yield Evidence("flags", flag)
    yield from _of_labels(when, record)
    for condition, (name, sign) in _LIMITS.items():
        if (limit := getattr(when, condition)) is not None:
            yield Evidence(condition, f"{getattr(facts, name):g} {sign} {limit:g}")


def _of_labels(when: When, record: EnrichedRecord) -> Iterator[Evidence]:
    for entity in record.entities:
        if entity.label in (when.entities or ()):
            yield Evidence("entities", entity.label, entity.text, entity.start, entity.end)
    for risk in record.risks:
        if risk.label in (when.risks or ()):
            yield Evidence("risks", f"{risk.label} {risk.confidence:.2f}")
    for score in record.risk_scores:
        limit = (when.risk_score_at_least or {}).get(score.name)
        if limit is not None and score.probability >= limit:
            yield Evidence("risk_score_at_least", f"{score.name} {score.probability:g} >= {limit:g}")


def _of_text(when: When, facts: Facts) -> Iterator[Evidence]:
    text = facts.text[:MAX_TEXT_CHARS]
    for phrase in when.text_any or ():
        index = PhraseIndex()
        index.add([phrase])
        if index.find(text):
            place = locate(phrase, text)
            yield Evidence("text_any", phrase, text[slice(*place)], *place) if place else Evidence("text_any", phrase)
    for phrase in when.text_says or ():
        for place in occurrences(phrase, text):
            if states(text, *place):
                yield Evidence("text_says", phrase, text[slice(*place)], *place)
                break
    for pattern in when.text_regex or ():
        if place := compiled_regex(pattern).search(text):
            yield Evidence("text_regex", pattern, text[slice(*place)], *place)
