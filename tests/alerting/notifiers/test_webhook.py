"""The webhook's signature, checked as docs/alerts.md tells receivers to."""

import json
import re

from checkout import ROOT
from pages import page

from triage.alerting.notifiers.webhook import SIGNATURE, TIMESTAMP, SigningKey, WebhookNotifier, signed
from triage.clock import ManualClock

DOCS = ROOT / "docs" / "alerts.md"
NOW = 1_795_339_800
KEY = SigningKey("2", "new key")
KEYS = {"1": b"old key", "2": b"new key"}


def documented_check():
    """`verified(headers, body, keys, now_s)` as the documentation has it."""
    code = re.search(r"```python\n(.*?def verified.*?)```", DOCS.read_text("utf-8"), re.DOTALL).group(1)
    names = {}
    exec(code, names)
    return names["verified"]


def delivered(serve, tell, *notifications, key=KEY, now_s=NOW):
    server = serve(lambda sent: (204, b""))
    tell(WebhookNotifier(server.url, 5, key=key, clock=ManualClock(now_s * 1000)), *notifications)
    return [({name.lower(): value for name, value in sent.headers.items()}, sent.body) for sent in server.sent]


def test_the_documented_check_takes_what_is_sent_and_nothing_else(serve, tell):
    verified = documented_check()
    ((headers, body),) = delivered(serve, tell, page())
    assert verified(headers, body, KEYS, NOW)
    assert verified(headers, body, KEYS, NOW + 299)
    assert not verified(headers, body, KEYS, NOW + 301), "a replay"
    assert not verified(headers, body, KEYS, NOW - 301)
    assert not verified(headers, body.replace(b"firing", b"resolved"), KEYS, NOW)
    assert not verified(headers | {TIMESTAMP: str(NOW + 1)}, body, KEYS, NOW)
    assert not verified(headers, body, {"1": b"old key"}, NOW), "an unknown version"
    assert not verified(headers, body, {"2": b"old key"}, NOW)
    assert not verified({}, body, KEYS, NOW)
    assert not verified(headers | {SIGNATURE: "nonsense"}, body, KEYS, NOW)


def test_each_attempt_has_its_own_signature_and_the_key_stays_hidden():
    first, second = (signed(SigningKey("2", "new key"), b"{}", NOW + at) for at in (0, 60))
    assert first[SIGNATURE] != second[SIGNATURE]
    assert first[SIGNATURE].startswith("2=")
    assert "new key" not in repr(SigningKey("2", "new key"))


def test_without_a_key_there_is_no_signature(serve, tell):
    ((headers, _),) = delivered(serve, tell, page(), key=None)
    assert SIGNATURE not in headers


def test_a_repeat_is_no_duplicate_of_the_page(serve, tell):
    sent = delivered(serve, tell, page(), page(resent=True), page(repeat=True), page("acknowledged"))
    keys = [headers["idempotency-key"].removeprefix(page().alert.dedup_key) for headers, _ in sent]
    assert keys == [":firing", ":firing", ":firing:2026-11-22T10:45:00.000Z", ":acknowledged"]
    assert [json.loads(body)["repeat"] for _, body in sent] == [False, False, True, False]
    assert json.loads(sent[0][1])["alert"]["chart"]["observed"][-1] == 6
