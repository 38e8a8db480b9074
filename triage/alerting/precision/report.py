"""Report on each alert rule: budget and its use, precision, and what keeps the rule from firing. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triage.alerting.precision.interval import Precision
from triage.alerting.precision.proposal import Proposal, propose
from triage.alerting.rules.model import AlertRules, Rule
from triage.clock import DAY_MS
from triage.elastic.alert_counts import PastAlert

BUDGET_DAYS = 30
PRECISION_DAYS = 90


@dataclass(frozen=True, slots=True)
class RuleKeys:
    """A rule's current keys: evaluated individually (`watched`), or counted together because of limits (`others`).

    Of the watched ones, `learning` have a baseline that is too young to fire, and `too_few` have too few records to
    fire.
    """

    watched: int = 0
    learning: int = 0
    others: int = 0
    too_few: int = 0

    @property
    def able(self) -> int:
        """Number of the rule's keys that could have fired at the last step."""
        return max(0, self.watched - self.learning - self.too_few)


def keys_of(rules: Mapping[str, Mapping[str, int]]) -> dict[str, RuleKeys] | None:
    """Convert the numbers of keys by rule and kind, as alerters report them, to RuleKeys by rule; None without any."""
    names = ("watched", "learning", "others", "too_few")
    found = {rule: RuleKeys(**{name: counts.get(name, 0) for name in names}) for rule, counts in rules.items()}
    return found or None


@dataclass(frozen=True, slots=True)
class RuleReport:
    """Report on one rule over the last `days` days; its precision is that of the last 90 days.

    `allowed` is the number of false alerts that the budget allows in `days`, None for a rule without a budget;
    `per_key` is the part of one key, None if that depends on the number of keys and this is unknown. `alerts` were
    raised; `paged`, `right` and `false` count those that were paged or assessed so. `keys` is None if no alerter
    answers.
    """

    rule: Rule
    days: int
    allowed: float | None
    per_key: float | None
    alerts: int
    paged: int
    right: int
    false: int
    precision: Precision
    proposal: Proposal | None
    keys: RuleKeys | None = None

    @property
    def cannot_fire(self) -> str | None:
        """Reason why the rule could not have fired for any key: `no_keys`, `learning` or `too_few`.

        None if it could have fired, or if no alerter answers.
        """
        if self.keys is None or self.keys.able:
            return None
        if not self.keys.watched:
            return "no_keys"
        return "learning" if self.keys.learning >= self.keys.too_few else "too_few"


def rule_reports(
    rules: AlertRules,
    alerts: Sequence[PastAlert],
    now_ms: int,
    keys: Mapping[str, RuleKeys] | None = None,
    days: int = BUDGET_DAYS,
) -> list[RuleReport]:
    """Report on every rule, in the order of the file, for the `days` before `now_ms`.

    `alerts` must cover the longer of `days` and 90 days. `keys` has the keys of each rule by its name; None if no
    alerter answers.
    """
    found = []
    for rule in rules.rules:
        of_rule = sorted((a for a in alerts if a.rule == rule.name), key=lambda alert: -alert.started_ms)
        recent = [alert for alert in of_rule if alert.started_ms >= now_ms - days * DAY_MS]
        long = [a for a in of_rule if a.verdict is not None and a.started_ms >= now_ms - PRECISION_DAYS * DAY_MS]
        watched = None if keys is None else keys.get(rule.name, RuleKeys())
        allowed, per_key = _budget(rule, watched, days)
        found.append(
            RuleReport(
                rule,
                days,
                allowed,
                per_key,
                alerts=len(recent),
                paged=sum(alert.paged for alert in recent),
                right=sum(alert.verdict == "right" for alert in recent),
                false=sum(alert.verdict == "false" for alert in recent),
                precision=Precision(sum(alert.verdict == "right" for alert in long), len(long)),
                proposal=propose(rule, long),
                keys=watched,
            )
        )
    return found


def _budget(rule: Rule, keys: RuleKeys | None, days: int) -> tuple[float | None, float | None]:
    """False alerts that the budget allows in these days, of all keys and of each."""
    budget = rule.budget
    if budget is None:
        return None, None
    allowed = budget.per_week * days / 7
    if budget.each_key:
        return (allowed if keys is None else allowed * max(keys.watched, 1)), allowed
    return allowed, allowed / keys.watched if keys is not None and keys.watched else None
