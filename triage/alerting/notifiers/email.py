"""Notifier for e-mail by SMTP: plain text, and HTML with the chart. All messages of an episode form one thread."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Literal

from triage.alerting.chart.png import png
from triage.alerting.links import ActionLink, ActionLinks
from triage.alerting.notifiers.base import Notification, Refused
from triage.alerting.notifiers.content import Content, compose, cut
from triage.alerting.notifiers.html import html
from triage.alerting.notifiers.text import plain
from triage.alerting.wording import Wording, wording_for
from triage.clock import Clock, SystemClock, from_ms
from triage.errors import AccessDenied, DependencyError, MissingExtraError, Unavailable
from triage.logging import get_logger
from triage.runtime.rate_limiter import Rate

log = get_logger("triage.delivery")

_SUBJECT_CHARS = 150
_DENIED = frozenset({530, 534, 535, 538})


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Sender, recipients and mail server.

    `security`: with `tls` the connection is encrypted from the start, with `starttls` before login and mail (a server
    without STARTTLS is refused), with `none` never, for a relay on this host.
    """

    sender: str
    recipients: tuple[str, ...]
    host: str
    port: int
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: str | None = None
    ca_certs: Path | None = None

    def __repr__(self) -> str:
        return f"Mailbox({self.sender!r} by {self.host}:{self.port})"


class EmailNotifier:
    """Sends alerts by e-mail over SMTP: one connection per message, at most 30 messages a minute."""

    name = "email"
    rate = Rate(burst=10, per_s=0.5)
    acknowledges = True
    notes = True

    def __init__(
        self,
        mailbox: Mailbox,
        timeout_s: float,
        wording: Wording | None = None,
        clock: Clock | None = None,
        links: ActionLinks | None = None,
    ) -> None:
        """Raises MissingExtraError if the packages of the extra `email` are not installed."""
        try:
            import aiosmtplib
            import PIL  # noqa: F401 - draws the chart
        except ImportError as error:
            raise MissingExtraError("alerting.email_to", "email") from error
        self._smtp = aiosmtplib
        self._mailbox = mailbox
        self._timeout_s = timeout_s
        self._wording = wording or wording_for("en")
        self._clock = clock or SystemClock()
        self._links = links

    async def send(self, notification: Notification) -> None:
        """Send one e-mail message.

        Raises Unavailable for 4xx replies and network errors, AccessDenied for refused credentials, Refused if all
        recipients are refused or the encryption settings do not work, and DependencyError for all other errors.
        """
        mailbox = self._mailbox
        links = () if self._links is None else self._links.of(notification.alert.dedup_key, self.name)
        message = mail(notification, mailbox, self._wording, self._clock, links)
        context = None
        if mailbox.security != "none":
            context = ssl.create_default_context(cafile=None if mailbox.ca_certs is None else str(mailbox.ca_certs))
        try:
            refused, _ = await self._smtp.send(
                message,
                sender=parseaddr(mailbox.sender)[1],
                recipients=[parseaddr(recipient)[1] for recipient in mailbox.recipients],
                hostname=mailbox.host,
                port=mailbox.port,
                username=mailbox.username,
                password=mailbox.password,
                use_tls=mailbox.security == "tls",
                start_tls=mailbox.security == "starttls",
                tls_context=context,
                timeout=self._timeout_s,
            )
        except (self._smtp.SMTPException, OSError) as error:
            raise self._sorted(error) from error
        if refused:
            log.warning("recipients_refused", receiver=self.name, refused=len(refused), of=len(mailbox.recipients))

    def _sorted(self, error: Exception) -> DependencyError:
        smtp = self._smtp
        if isinstance(error, smtp.SMTPRecipientsRefused):
            codes = [one.code for one in error.recipients]
            text = f"all recipients refused: {cut(str(error.recipients[0].message), 200)}"
            return (
                Unavailable(self.name, text)
                if any(code < 500 for code in codes)
                else Refused(self.name, f"{text}; check alerting.email_to")
            )
        if isinstance(error, smtp.SMTPResponseException) and error.code > 0:
            text = f"SMTP {error.code} {cut(error.message, 200)}"
            if error.code < 500:
                return Unavailable(self.name, text)
            if error.code in _DENIED:
                return AccessDenied(self.name, f"{text}; check alerting.smtp_username and alerting.smtp_password")
            return DependencyError(self.name, text)
        text = f"{type(error).__name__}: {error}".rstrip(": ")
        # A server without a feature that the settings require.
        return Refused(self.name, text) if type(error) is smtp.SMTPException else Unavailable(self.name, text)

    async def close(self) -> None:
        """Do nothing: each message uses its own connection, which `send` closes."""


def mail(
    notification: Notification, mailbox: Mailbox, wording: Wording, clock: Clock, links: Sequence[ActionLink] = ()
) -> EmailMessage:
    """Build the e-mail of a notification, with plain text, HTML and the chart.

    The message id is derived from the dedup key, so a resent message has the same id; all messages of an episode reply
    to the first page.
    """
    content = compose(notification, wording, links)
    message = EmailMessage()
    message["Subject"] = _line(f"[{wording.severities.get(content.severity, content.severity)}] {content.title}")
    message["From"] = mailbox.sender
    message["To"] = ", ".join(mailbox.recipients)
    message["Date"] = format_datetime(from_ms(clock.now_ms()))
    root, own = _ids(notification, mailbox.sender)
    message["Message-ID"] = own
    if own != root:
        message["In-Reply-To"] = root
        message["References"] = root
    # RFC 3834: no automatic replies.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if content.severity == "critical" and content.event == "firing":
        message["Importance"] = "high"
    message["X-Triage-Dedup-Key"] = notification.alert.dedup_key
    message.set_content(plain(content, wording))
    _add_html(message, content, wording, mailbox.sender)
    return message


def _add_html(message: EmailMessage, content: Content, wording: Wording, sender: str) -> None:
    picture = None if content.chart is None else png(content.chart, wording.tzinfo)
    cid = f"chart@{_domain(sender)}"
    message.add_alternative(html(content, wording, None if picture is None else f"cid:{cid}"), subtype="html")
    if picture is not None:
        parts = message.get_payload()
        assert isinstance(parts, Sequence)
        page = parts[1]
        assert isinstance(page, EmailMessage)
        page.add_related(picture, "image", "png", cid=f"<{cid}>", disposition="inline", filename="chart.png")


def _ids(notification: Notification, sender: str) -> tuple[str, str]:
    alert, domain = notification.alert, _domain(sender)
    root = f"<{alert.dedup_key}.firing@{domain}>"
    if notification.repeat or notification.event == "note":
        stamp = "".join(mark for mark in alert.updated_at if mark.isalnum())
        return root, f"<{alert.dedup_key}.{notification.event}.{stamp}@{domain}>"
    return root, f"<{alert.dedup_key}.{notification.event}@{domain}>"


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "triage.invalid"


def _line(text: str) -> str:
    """Join a text into one line, as an e-mail header must be, and cut it to 150 characters."""
    return cut(" ".join(text.split()), _SUBJECT_CHARS)
