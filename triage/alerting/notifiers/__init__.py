"""Notifiers: one for each kind of receiver that the settings can name."""

from pydantic import SecretStr

from triage.alerting.links import ActionLinks
from triage.alerting.notifiers.alertmanager import AlertmanagerNotifier
from triage.alerting.notifiers.base import Notification, Notifier, Refused, Throttled
from triage.alerting.notifiers.log import LogNotifier
from triage.alerting.notifiers.pagerduty import PagerDutyNotifier
from triage.alerting.notifiers.robots import DingTalkNotifier, WeComNotifier
from triage.alerting.notifiers.slack import SlackNotifier
from triage.alerting.notifiers.teams import TeamsNotifier
from triage.alerting.notifiers.webhook import SigningKey, WebhookNotifier
from triage.alerting.wording import wording_of
from triage.clock import SystemClock
from triage.config import AlertingSettings

__all__ = ["ADDRESSES", "Notification", "Notifier", "Refused", "Throttled", "build_notifiers"]

# Receivers that a rule may name, and the setting of `alerting` that each needs.
ADDRESSES: dict[str, str | None] = {
    "log": None,
    "webhook": "webhook_url",
    "slack": "slack_url",
    "teams": "teams_url",
    "pagerduty": "pagerduty_key",
    "alertmanager": "alertmanager_url",
    "email": "email_to",
    "wecom": "wecom_url",
    "dingtalk": "dingtalk_url",
}


def build_notifiers(settings: AlertingSettings) -> list[Notifier]:
    """Create the log notifier, and a notifier for every receiver whose address is in the settings.

    Raises MissingExtraError for e-mail if the packages of the extra `email` are not installed.
    """
    wording, timeout_s = wording_of(settings), settings.notify_timeout_s
    # Never simulated time: people press links when they do.
    links = ActionLinks(settings, SystemClock())
    notifiers: list[Notifier] = [LogNotifier()]
    if url := _secret(settings.webhook_url):
        key = _secret(settings.webhook_key)
        signing = SigningKey(settings.webhook_key_version, key) if key else None
        notifiers.append(WebhookNotifier(url, timeout_s, key=signing, links=links))
    if url := _secret(settings.slack_url):
        notifiers.append(SlackNotifier(url, timeout_s, wording=wording, links=links))
    if url := _secret(settings.teams_url):
        notifiers.append(TeamsNotifier(url, timeout_s, wording=wording, links=links))
    if key := _secret(settings.pagerduty_key):
        notifiers.append(PagerDutyNotifier(settings.pagerduty_url, key, timeout_s, wording=wording))
    if url := _secret(settings.alertmanager_url):
        urls = [one.strip() for one in url.split(",") if one.strip()]
        token, resend_s = _secret(settings.alertmanager_token), settings.alertmanager_resend_s
        notifiers.append(AlertmanagerNotifier(urls, timeout_s, wording=wording, token=token, resend_s=resend_s))
    if settings.email_to:
        notifiers.append(_email(settings, links))
    if url := _secret(settings.wecom_url):
        notifiers.append(WeComNotifier(url, timeout_s, wording=wording, links=links))
    if url := _secret(settings.dingtalk_url):
        secret = _secret(settings.dingtalk_secret)
        notifiers.append(DingTalkNotifier(url, timeout_s, wording=wording, links=links, secret=secret))
    return notifiers


def _email(settings: AlertingSettings, links: ActionLinks) -> Notifier:
    from triage.alerting.notifiers.email import EmailNotifier, Mailbox

    mailbox = Mailbox(
        sender=settings.email_from,
        recipients=tuple(settings.email_to),
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=_secret(settings.smtp_password),
        ca_certs=settings.smtp_ca_certs,
    )
    return EmailNotifier(mailbox, settings.notify_timeout_s, wording_of(settings), links=links)


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()
