"""Receivers are asked whether they answer; none of them gets a message, and no secret is shown."""

import ssl

import trustme
from mail_server import running

from triage.config import load_settings
from triage.doctor.receivers import examine_receivers
from triage.local.stack import free_port


def _found(**alerting):
    settings = load_settings(None, {f"alerting.{name}": value for name, value in alerting.items()})
    return list(examine_receivers(settings, 5.0))


def test_without_a_receiver_nobody_is_paged():
    (found,) = _found()
    assert found.state == "warning"
    assert "nobody is paged" in found.text


def test_hosts_are_asked_without_path_and_without_a_message(serve):
    server = serve(lambda sent: (404, {}))
    found = _found(slack_url=f"{server.url}/services/T0/secret", webhook_url=f"{server.url}/hook")
    assert [(each.subject, each.state) for each in found] == [("webhook", "ok"), ("slack", "ok")]
    assert {(sent.method, sent.path) for sent in server.sent} == {("HEAD", "/")}
    assert "secret" not in str(found)


def test_each_alertmanager_is_asked(serve):
    server = serve(lambda sent: (200, {}))
    away = f"http://127.0.0.1:{free_port()}"
    found = _found(alertmanager_url=f"{server.url}, {away}")
    assert [each.state for each in found] == ["ok", "failed"]
    assert found[1].text.startswith(away.removeprefix("http://"))
    assert "alerting.alertmanager_url" in found[1].remedy
    assert "Errno" not in found[1].text


class Postbox:
    """Refuses to be sent anything."""

    async def handle_MAIL(self, *_):  # noqa: N802
        raise AssertionError("a message was begun")


def test_a_mail_server_is_tried_as_far_as_the_login(tmp_path):
    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    mail = {
        "email_to": ["ops@example.com"], "email_from": "alerts@example.com", "smtp_host": "127.0.0.1",
        "smtp_ca_certs": str(tmp_path / "ca.pem"), "smtp_username": "triage",
    }  # fmt: skip
    with running(Postbox(), context) as port:
        (right,) = _found(smtp_port=port, smtp_password="right password", **mail)
        (wrong,) = _found(smtp_port=port, smtp_password="another one", **mail)
        (clear,) = _found(smtp_port=port, smtp_password="right password", **(mail | {"smtp_ca_certs": None}))
    assert (right.state, right.text) == ("ok", f"127.0.0.1:{port} answers and takes the login")
    assert (wrong.state, wrong.text) == ("failed", f"127.0.0.1:{port} refuses the login")
    assert clear.state == "failed"
    assert "certificate" in clear.text
    (away,) = _found(smtp_port=free_port(), smtp_password="right password", **mail)
    assert away.state == "failed"
    assert "refused" in away.text
