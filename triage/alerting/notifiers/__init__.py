"""Receivers of alerts, as the settings name them."""

from triage.alerting.notifiers.base import Notification, Notifier, Throttled
from triage.alerting.notifiers.log import LogNotifier
from triage.alerting.notifiers.slack import SlackNotifier
from triage.alerting.notifiers.webhook import WebhookNotifier
from triage.config import AlertingSettings

__all__ = ["Notification", "Notifier", "Throttled", "build_notifiers"]


def build_notifiers(settings: AlertingSettings) -> list[Notifier]:
    """The log, and every receiver that has an address."""
    notifiers: list[Notifier] = [LogNotifier()]
    if settings.webhook_url:
        notifiers.append(WebhookNotifier(settings.webhook_url.get_secret_value(), settings.notify_timeout_s))
    if settings.slack_url:
        notifiers.append(SlackNotifier(settings.slack_url.get_secret_value(), settings.notify_timeout_s))
    return notifiers
