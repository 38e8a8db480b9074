"""E-mail, against an SMTP server with STARTTLS, TLS and authentication, that also refuses."""

import ssl

import pytest
from mail_server import running
from pages import CHART, page

from triage.alerting.chart.scale import draw
from triage.alerting.notifiers import Refused
from triage.alerting.notifiers.email import EmailNotifier, Mailbox, mail
from triage.alerting.wording import wording_for
from triage.clock import ManualClock, zone_named
from triage.errors import AccessDenied, DependencyError, Unavailable
from triage.schemas.alert import Share

trustme = pytest.importorskip("trustme")

NOW = 1_795_339_800_000
TO = ("On call <oncall@example.com>", "ops@example.com")


class Postbox:
    """Takes mail; `answers` by command are given instead of taking."""

    def __init__(self, **answers):
        self.messages = []
        self.recipients = []
        self.answers = answers

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if answer := self.answers.get("RCPT", {}).get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if "DATA" in self.answers:
            return self.answers["DATA"]
        import email.policy

        self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """(authority's file, context of a server on 127.0.0.1 and localhost)."""
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return path, context


def mailbox(port, ca=None, **changes):
    options = {
        "sender": "triage <alerts@example.com>",
        "recipients": TO,
        "host": "127.0.0.1",
        "port": port,
        "ca_certs": ca,
    }
    return Mailbox(**(options | changes))


LOGIN = {"username": "triage", "password": "right password"}


def notifier(*args, **options):
    return EmailNotifier(mailbox(*args, **options), 5, clock=ManualClock(NOW))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_it_arrives_over_tls_with_a_login(authority, tell, security):
    ca, context = authority
    box = Postbox()
    with running(box, context, security=security) as port:
        tell(notifier(port, ca, security=security, **LOGIN), page())
    (message,) = box.messages
    assert box.recipients == [["oncall@example.com", "ops@example.com"]]
    assert message["Subject"] == "[critical] Acme · delivery complaints 4.2× expected — 44 of 48 negative in 1 h"
    assert message["From"] == "triage <alerts@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Importance"] == "high"
    assert message["Date"].datetime.isoformat() == "2026-11-22T09:30:00+00:00"


def test_the_chart_is_in_it_and_there_is_a_text_without():
    message = mail(page(), mailbox(25), wording_for("en"), ManualClock(NOW))
    assert message.get_content_type() == "multipart/alternative"
    text, rich = message.iter_parts()
    assert "▃▂▁▂▂▃" in text.get_content()
    html, chart = rich.iter_parts()
    assert rich.get_content_type() == "multipart/related"
    assert f'src="cid:{chart["Content-ID"].strip("<>")}"' in html.get_content()
    assert chart.get_content().startswith(b"\x89PNG")
    assert len(bytes(message)) < 40_000


def test_all_messages_of_an_episode_make_one_thread():
    def sent(event, **changes):
        return mail(page(event, **changes), mailbox(25), wording_for("en"), ManualClock(NOW))

    first = sent("firing")
    again, repeat, taken, over = (
        sent("firing", resent=True), sent("firing", repeat=True), sent("acknowledged"), sent("resolved")
    )  # fmt: skip
    assert first["Message-ID"] == again["Message-ID"], "who deduplicates sees one"
    assert first["References"] is None
    assert len({message["Message-ID"] for message in (first, repeat, taken, over)}) == 4
    for reply in (repeat, taken, over):
        assert reply["References"] == reply["In-Reply-To"] == first["Message-ID"]
    assert over["Importance"] is None


def test_no_title_can_add_a_header():
    message = mail(page(title="a\r\nBcc: all@example.com"), mailbox(25), wording_for("en"), ManualClock(NOW))
    assert message["Bcc"] is None
    assert message["Subject"] == "[critical] a Bcc: all@example.com"


def test_a_wrong_password_is_final(authority, tell):
    ca, context = authority
    with running(Postbox(), context) as port, pytest.raises(AccessDenied, match="535") as raised:
        tell(notifier(port, ca, username="triage", password="wrong-password"), page())
    assert "wrong-password" not in str(raised.value)


def test_a_stranger_s_certificate_is_not_taken(authority, tell):
    _, context = authority
    box = Postbox()
    with running(box, context) as port, pytest.raises(Unavailable, match="certificate"):
        tell(notifier(port, None, **LOGIN), page())
    assert box.messages == []


def test_without_starttls_nothing_is_sent_in_the_clear(tell):
    box = Postbox()
    with running(box, security="none") as port, pytest.raises(Refused, match="STARTTLS"):
        tell(notifier(port), page())
    assert box.messages == []


def test_a_relay_without_tls_is_used_only_if_configured(tell):
    box = Postbox()
    with running(box, security="none") as port:
        tell(notifier(port, security="none"), page("resolved"))
    assert len(box.messages) == 1


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"DATA": "451 try later"}, Unavailable),
        ({"DATA": "554 spam"}, DependencyError),
        ({"RCPT": dict.fromkeys(["oncall@example.com", "ops@example.com"], "550 unknown")}, Refused),
        ({"RCPT": {"oncall@example.com": "450 greylisted", "ops@example.com": "550 unknown"}}, Unavailable),
    ],
)
def test_what_the_server_refuses(tell, answers, kind):
    with running(Postbox(**answers), security="none") as port, pytest.raises(kind) as raised:
        tell(notifier(port, security="none"), page())
    assert type(raised.value) is kind


def test_one_refused_recipient_keeps_it_from_no_other(tell):
    box = Postbox(RCPT={"ops@example.com": "550 unknown"})
    with running(box, security="none") as port:
        tell(notifier(port, security="none"), page())
    assert box.recipients == [["oncall@example.com"]]


def test_an_unreachable_server_is_tried_again(tell):
    with pytest.raises(Unavailable):
        tell(notifier(1, security="none"), page())


def test_times_of_the_chart_are_the_owners():
    message = mail(page(), mailbox(25), wording_for("en", "Asia/Shanghai"), ManualClock(NOW))
    assert "Negative records / 5 min, Asia/Shanghai (UTC+8): seen" in _html(message)
    assert draw(CHART, zone_named("Asia/Shanghai")).times[0][1] == "15:30"
    assert draw(CHART).times[0][1] == "07:30"


def test_what_customers_wrote_has_its_own_direction():
    message = mail(page(top_entities=[Share("أكمي", 3, 1.0)]), mailbox(25), wording_for("en"), ManualClock(NOW))
    assert '<blockquote dir="auto"' in _html(message)
    assert "<bdi>\u2068أكمي\u2069 3 (usually 1)</bdi>" in _html(message)


def _html(message):
    return message.get_body(("html",)).get_content()
