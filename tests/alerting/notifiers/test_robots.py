"""Robots of WeCom and DingTalk, against servers with their checks: errors come in the body of a 200."""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from pages import alert, page

from triage.alerting.notifiers import Refused, Throttled
from triage.alerting.notifiers.robots import DingTalkNotifier, WeComNotifier
from triage.alerting.wording import wording_for
from triage.clock import ManualClock
from triage.errors import AccessDenied, DependencyError, Unavailable

NOW = 1_795_339_800_000
SECRET = "SECabc"
CHINESE = wording_for("zh")


class WeCom:
    """One robot; the twenty-first message within a minute is refused."""

    def __init__(self):
        self.taken = []

    def __call__(self, sent):
        key = parse_qs(urlsplit(sent.path).query).get("key")
        if urlsplit(sent.path).path != "/cgi-bin/webhook/send" or key != ["robot"]:
            return 200, {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1764]"}
        body = json.loads(sent.body)
        if body.get("msgtype") != "markdown":
            return 200, {"errcode": 40008, "errmsg": "invalid message type"}
        if len(body["markdown"]["content"].encode()) > 4096:
            return 200, {"errcode": 40058, "errmsg": "markdown.content exceed max length 4096"}
        if len(self.taken) >= 20:
            return 200, {"errcode": 45009, "errmsg": "api freq out of limit"}
        self.taken.append(body["markdown"]["content"])
        return 200, {"errcode": 0, "errmsg": "ok"}


class DingTalk:
    def __init__(self):
        self.taken = []

    def __call__(self, sent):
        query = {name: values[0] for name, values in parse_qs(urlsplit(sent.path).query).items()}
        if query.get("access_token") != "robot":
            return 200, {"errcode": 300001, "errmsg": "token is not exist"}
        message = f"{query.get('timestamp')}\n{SECRET}".encode()
        expected = base64.b64encode(hmac.new(SECRET.encode(), message, hashlib.sha256).digest()).decode()
        if query.get("sign") != expected or abs(int(query["timestamp"]) - NOW) > 3_600_000:
            return 200, {"errcode": 310000, "errmsg": "sign not match"}
        if len(self.taken) >= 20:
            return 200, {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}
        body = json.loads(sent.body)
        if body.get("msgtype") != "markdown" or not body["markdown"].get("title"):
            return 200, {"errcode": 400602, "errmsg": "miss title"}
        self.taken.append(body["markdown"]["text"])
        return 200, {"errcode": 0, "errmsg": "ok"}


def wecom(server, key="robot"):
    return WeComNotifier(f"{server.url}/cgi-bin/webhook/send?key={key}", 5, wording=CHINESE)


def dingtalk(server, token="robot", secret=SECRET, now_ms=NOW):
    url = f"{server.url}/robot/send?access_token={token}"
    return DingTalkNotifier(url, 5, wording=CHINESE, secret=secret, clock=ManualClock(now_ms))


@pytest.mark.parametrize(("robot", "make"), [(WeCom, wecom), (DingTalk, dingtalk)])
def test_a_page_and_its_resolve_arrive(serve, tell, robot, make):
    receiver = robot()
    tell(make(serve(receiver)), page(), page("acknowledged"), page("resolved"))
    fired, acknowledged, resolved = receiver.taken
    for part in (
        "### Acme",
        "█",
        "明显增多的名称",
        "triage alerts ack triage-0123",
        "[控制台](https://console.example",
    ):
        assert part in fired, part
    assert "ann 已确认" in acknowledged
    assert len(resolved) < len(fired) / 2


@pytest.mark.parametrize(("robot", "make"), [(WeCom, wecom), (DingTalk, dingtalk)])
def test_too_many_a_minute_have_to_wait(serve, tell, robot, make):
    receiver = robot()
    notifier = make(serve(receiver))
    with pytest.raises(Throttled) as raised:
        tell(notifier, *[page()] * 21)
    assert raised.value.retry_after_s == 60
    assert len(receiver.taken) == 20
    assert notifier.rate.burst + notifier.rate.per_s * 60 <= 20, "its own rate keeps to the limit in any minute"


def test_a_long_page_fits_wecom(serve, tell):
    receiver = WeCom()
    also = tuple(alert(title="很长的标题" * 30) for _ in range(20))
    tell(wecom(serve(receiver)), page(summary="很长的摘要" * 100, also=also))
    assert len(receiver.taken) == 1


@pytest.mark.parametrize(
    ("robot", "make"),
    [
        (WeCom, lambda server: wecom(server, key="other")),
        (DingTalk, lambda server: dingtalk(server, token="other")),
        (DingTalk, lambda server: dingtalk(server, secret="SECother")),
        (DingTalk, lambda server: dingtalk(server, secret=None)),
        (DingTalk, lambda server: dingtalk(server, now_ms=NOW + 7_200_000)),
    ],
)
def test_a_wrong_key_token_or_sign_is_final(serve, tell, robot, make):
    with pytest.raises(AccessDenied) as raised:
        tell(make(serve(robot())), page())
    assert "other" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((200, {"errcode": -1, "errmsg": "system busy"}), Unavailable),
        ((200, {"errcode": 40058, "errmsg": "bad"}), DependencyError),
        ((200, b"<html>a gateway's page</html>"), Unavailable),
        ((502, b""), Unavailable),
        ((404, b""), Refused),
    ],
)
@pytest.mark.parametrize("make", [wecom, dingtalk])
def test_what_else_they_say(serve, tell, make, answer, kind):
    with pytest.raises(kind) as raised:
        tell(make(serve(lambda sent: answer)), page())
    assert type(raised.value) is kind
