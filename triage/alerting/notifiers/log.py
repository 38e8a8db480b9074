"""Notifier that writes alerts to the log; it is always configured."""

from triage.alerting.notifiers.base import Notification
from triage.logging import get_logger

log = get_logger("triage.alert")


class LogNotifier:
    name = "log"

    async def send(self, notification: Notification) -> None:
        alert = notification.alert
        log_event = log.warning if notification.event == "firing" else log.info
        log_event(
            f"alert_{notification.event}",
            title=alert.title,
            dedup_key=alert.dedup_key,
            rule=alert.rule,
            key=alert.key,
            severity=alert.severity,
            negative=alert.negative,
            total=alert.total,
            started_at=alert.started_at,
            resent=notification.resent,
        )

    async def close(self) -> None:
        """Do nothing: this notifier has no connection to close."""
