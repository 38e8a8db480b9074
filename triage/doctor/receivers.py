"""Checks that the receivers of alerts answer. No message is sent: `triage alerts test` does that."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from triage.alerting.notifiers import ADDRESSES
from triage.config import AlertingSettings, Settings
from triage.doctor.finding import Finding, failed, ok, warning
from triage.errors import in_words
from triage.masking import without_credentials


def examine_receivers(settings: Settings, timeout_s: float) -> Iterator[Finding]:
    """Check that each receiver of alerts that has an address answers in `timeout_s` seconds, and yield the findings."""
    alerting = settings.alerting
    known = {name: setting for name, setting in ADDRESSES.items() if setting and getattr(alerting, setting)}
    if not known:
        yield warning(
            "receivers", "none is set: alerts stand in the console and the log, nobody is paged",
            "set alerting.slack_url or another; docs/alerts.md lists them",
        )  # fmt: skip
    for name, setting in known.items():
        if name == "email":
            yield _mail_server(alerting, timeout_s)
            continue
        value = getattr(alerting, "pagerduty_url" if name == "pagerduty" else setting)
        addresses = value if isinstance(value, str) else value.get_secret_value()
        for address in filter(None, map(str.strip, addresses.split(",") if name == "alertmanager" else [addresses])):
            yield _web_server(name, address, f"alerting.{setting}", timeout_s)


def _web_server(name: str, address: str, setting: str, timeout_s: float) -> Finding:
    """Ask the host alone: paths of receivers are secrets, and some take any request for a message."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    try:
        httpx.head(f"{parts.scheme}://{host}/", timeout=timeout_s, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = without_credentials(in_words(str(error))) or type(error).__name__
        return failed(name, f"{host} does not answer: {why}", f"check {setting}, and the way to that host")
    return ok(name, f"{host} answers; whether it takes alerts, triage alerts test shows")


def _mail_server(alerting: AlertingSettings, timeout_s: float) -> Finding:
    """Go as far as the login, with the encryption that the settings demand."""
    host, port = alerting.smtp_host, alerting.smtp_port
    context = ssl.create_default_context(cafile=alerting.smtp_ca_certs)
    try:
        with contextlib.ExitStack() as open_:
            if alerting.smtp_security == "tls":
                server: smtplib.SMTP = open_.enter_context(
                    smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=context)
                )
            else:
                server = open_.enter_context(smtplib.SMTP(host, port, timeout=timeout_s))
            if alerting.smtp_security == "starttls":
                server.starttls(context=context)
            if alerting.smtp_username is not None and alerting.smtp_password is not None:
                server.login(alerting.smtp_username, alerting.smtp_password.get_secret_value())
            server.noop()
    except smtplib.SMTPAuthenticationError:
        return failed("email", f"{host}:{port} refuses the login", "check alerting.smtp_username and smtp_password")
    except (smtplib.SMTPException, OSError) as error:
        return failed(
            "email", f"{host}:{port}: {in_words(str(error))}", "check alerting.smtp_host, smtp_port and smtp_security"
        )
    return ok("email", f"{host}:{port} answers" + (" and takes the login" if alerting.smtp_username else ""))
