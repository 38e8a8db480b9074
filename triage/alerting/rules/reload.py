"""Reload of alert rules: a changed file replaces the rules without a restart; an invalid one is refused."""

from triage.alerting.rules.loader import parse_alert_rules, read_alert_rules
from triage.alerting.rules.model import AlertRules
from triage.clock import Clock
from triage.config import AlertingSettings
from triage.errors import ConfigError
from triage.logging import get_logger
from triage.metrics import Metrics

log = get_logger("triage.alerter")

POLL_S = 2.0


class RuleWatch:
    """Watches the rule file: `poll` reads it every two seconds of monotonic time, and after a `request`.

    `rules` are the active rules.
    """

    def __init__(self, settings: AlertingSettings, clock: Clock, metrics: Metrics) -> None:
        """Read the rules for the first time. Raises ConfigError with every problem of the file."""
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._where = str(settings.rules) if settings.rules else "default alert rules"
        self._seen: bytes | None = read_alert_rules(settings)
        self.rules = parse_alert_rules(self._seen, settings, self._where)
        self._next_s = clock.monotonic() + POLL_S
        self._refused = ""

    def request(self) -> None:
        """Make the next `poll` read the file, and parse it even if this content was refused before."""
        self._seen, self._refused = None, ""
        self._next_s = self._clock.monotonic()

    def poll(self) -> AlertRules | None:
        """Return the new rules if the file has changed them since the last call, else None.

        Problems of a changed file are logged, and the active rules stay.
        """
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return None
        self._next_s = now_s + POLL_S
        try:
            text = read_alert_rules(self._settings)
            if text == self._seen:
                return None
            rules = parse_alert_rules(text, self._settings, self._where)
        except ConfigError as error:
            if str(error) != self._refused:
                self._metrics.reloads.labels("alert_rules", "refused").inc()
                log.error(  # noqa: TRY400 - the message is complete
                    "reload_refused", kind="alert_rules", reason=str(error), instead="the old rules stay"
                )
            self._refused = str(error)
            return None
        # Only now: after an unexpected error the same content is parsed again.
        self._seen, self._refused = text, ""
        if rules == self.rules:
            return None
        removed = sorted({rule.name for rule in self.rules.rules} - {rule.name for rule in rules.rules})
        self.rules = rules
        self._metrics.reloads.labels("alert_rules", "swapped").inc()
        log.info("reloaded", kind="alert_rules", rules=len(rules.rules), removed=removed)
        return rules
