"""Reads the reports on alert rules: the rule file, alerts in the index, and the numbers of keys from alerters."""

from collections.abc import Sequence
from dataclasses import replace

from elasticsearch import Elasticsearch

from triage.alerting.lifecycle.assessments import Assessments
from triage.alerting.precision.report import PRECISION_DAYS, RuleReport, keys_of, rule_reports
from triage.alerting.rules.loader import load_alert_rules
from triage.clock import DAY_MS, Clock
from triage.config import Settings
from triage.elastic.alert_counts import PastAlert, past_alerts
from triage.fleet import FleetView


class RuleReader:
    """Reads the reports on all alert rules: their alerts, how often people found them right, and their keys.

    `assessments` are the users' latest verdicts on alerts, including those not in the index yet.
    """

    def __init__(self, settings: Settings, client: Elasticsearch, clock: Clock, assessments: Assessments) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._assessments = assessments

    def read(self, fleet: FleetView | None) -> list[RuleReport]:
        """Report on every rule, in the order of the file; `fleet` has the numbers of keys, None leaves them out.

        Blocks. Raises ConfigError for a rule file that cannot be read, Unavailable, AccessDenied or DependencyError if
        a search fails.
        """
        rules, now_ms = load_alert_rules(self._settings.alerting), self._clock.now_ms()
        past = past_alerts(self._client, self._settings.elasticsearch, now_ms - PRECISION_DAYS * DAY_MS)
        keys = None if fleet is None else keys_of(fleet.rules)
        return rule_reports(rules, self._with_latest(past.alerts), now_ms, keys)

    def _with_latest(self, alerts: Sequence[PastAlert]) -> list[PastAlert]:
        found = []
        for alert in alerts:
            if alert.dedup_key in self._assessments:
                last = self._assessments.get(alert.dedup_key)
                alert = replace(alert, verdict=last.verdict if last else None)  # noqa: PLW2901
            found.append(alert)
        return found
