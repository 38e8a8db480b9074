"""Why a record was judged as it was: the words that the model went by, and what met the conditions of the rules."""

from msgspec.structs import asdict

from triage.inference.explain import Explainable, explain_words
from triage.rules import RuleSet
from triage.rules.evidence import explain_rules
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.explanation import ExplainedRecord, Explanation


def explain(model: Explainable, rules: RuleSet, record: EnrichedRecord) -> Explanation:
    """Explain a record, new or read back, from its own text: nothing else is needed, and nothing is kept.

    One model call. With another model or other rules than its `versions` say, the explanation is theirs.
    """
    words = explain_words(model, record.text)
    return Explanation(intent=words.intent, sentiment=words.sentiment, rules=explain_rules(rules, record))


def explained(model: Explainable, rules: RuleSet, record: EnrichedRecord) -> ExplainedRecord:
    """The record with its explanation."""
    return ExplainedRecord(**asdict(record), explanation=explain(model, rules, record))
