"""Determines severity and route of a record by compiled rules."""

from collections.abc import Sequence
from typing import NamedTuple

from triage.rules.conditions import Case, Test, compiled, needs_phrase
from triage.rules.facts import Facts
from triage.rules.model import DEFAULT, RoutingRule, RulesFile, SeverityRule
from triage.rules.phrases import PhraseIndex
from triage.rules.remembered import RememberedDecisions
from triage.schemas.enriched import Route, Severity
from triage.types import SeverityLevel

LEVELS = tuple(level.value for level in SeverityLevel)
MAX_TEXT_CHARS = 20_000


class Decision(NamedTuple):
    """Severity and route of a record; both name the rules that fired, in the order of the file, or `["default"]`."""

    severity: Severity
    route: Route


class RuleSet:
    """The compiled rules of one rules file, which determine the severity and queue of records.

    `decide` is pure and thread-safe.
    """

    def __init__(self, rules: RulesFile, version: str) -> None:
        self.version = version
        self.file = rules
        self._phrases = PhraseIndex()
        self._severity = [(rule, compiled(rule.when, self._phrases)) for rule in rules.severity]
        self._routing = [(rule, compiled(rule.when, self._phrases)) for rule in rules.routing]
        # Most texts contain none of the phrases: for them the rules that need one are not even tested.
        self._plain_severity = [each for each in self._severity if not needs_phrase(each[0].when)]
        self._plain_routing = [each for each in self._routing if not needs_phrase(each[0].when)]
        self._default = rules.default
        conditions = [rule.when for rule in (*rules.severity, *rules.routing) if rule.when is not None]
        self._remembered: RememberedDecisions[Decision] = RememberedDecisions(conditions, self._phrases)

    @property
    def queues(self) -> list[str]:
        """All queues that a record can be routed to."""
        return sorted({rule.queue for rule, _ in self._routing} | {self._default.queue})

    def decide(self, facts: Facts) -> Decision:
        """Determine severity and route of a record.

        Severity: the highest level of all matching `set` plus the sum of all matching `raise`, limited to low to
        critical. Route: the queue of the first rule that matches.
        """
        case = Case(facts, self._phrases.find(facts.text[:MAX_TEXT_CHARS]))
        severity, route = self._remembered.get(case, self._decide)
        # Records own their lists.
        return Decision(Severity(severity.level, [*severity.rules]), Route(route.queue, [*route.rules]))

    def _decide(self, case: Case) -> Decision:
        if case.phrases:
            return Decision(self._severity_of(case, self._severity), self._route_of(case, self._routing))
        return Decision(self._severity_of(case, self._plain_severity), self._route_of(case, self._plain_routing))

    def _severity_of(self, case: Case, rules: Sequence[tuple[SeverityRule, Test]]) -> Severity:
        level: int | None = None
        raised = 0
        fired = []
        for rule, test in rules:
            if test(case):
                fired.append(rule.name)
                level, raised = _applied(rule, level, raised)
                if rule.stop:
                    break
        if level is None:
            level = LEVELS.index(self._default.severity)
        return Severity(LEVELS[min(max(level + raised, 0), len(LEVELS) - 1)], fired or [DEFAULT])

    def _route_of(self, case: Case, rules: Sequence[tuple[RoutingRule, Test]]) -> Route:
        for rule, test in rules:
            if test(case):
                return Route(rule.queue, [rule.name])
        return Route(self._default.queue, [DEFAULT])


def _applied(rule: SeverityRule, level: int | None, raised: int) -> tuple[int | None, int]:
    if rule.set_to is None:
        return level, raised + (rule.raise_by or 0)
    proposed = LEVELS.index(rule.set_to)
    return (proposed if level is None else max(level, proposed)), raised
