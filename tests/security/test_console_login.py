"""The console's door: logins, roles, sessions, forged requests, guessing, proxies and headers that anybody can send."""

import asyncio
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pages import alert
from pydantic import SecretStr
from starlette.requests import HTTPConnection

from triage.cli.main import main
from triage.clock import ManualClock
from triage.config import ConsoleSettings, load_settings
from triage.console.app import build_service
from triage.console.web import sessions as module
from triage.console.web.login import LoginMiddleware
from triage.console.web.sessions import COOKIE, Sessions
from triage.errors import ConfigError
from triage.metrics import Metrics
from triage.web.auth import user_of
from triage.web.health import WebHealth
from triage.web.identity import Identities, User, digest_of

OPERATOR, VIEWER = "the-token-of-olga-0123", "the-token-of-vera-0123"
HOST = "console.example"
OURS = {"origin": f"https://{HOST}", "sec-fetch-site": "same-origin"}


def _settings(**fields):
    tokens = [
        {"name": "olga", "role": "operator", "token": OPERATOR},
        {"name": "vera", "role": "viewer", "token": VIEWER},
    ]
    return ConsoleSettings(**{"tokens": tokens, **fields})


async def _app(scope, receive, send):
    from starlette.requests import Request
    from starlette.responses import JSONResponse

    user = user_of(Request(scope))
    await JSONResponse({"user": user.name, "role": user.role})(scope, receive, send)


def _client(settings=None, clock=None, peer="192.0.2.7", app=None):
    door = app or LoginMiddleware(_app, settings or _settings(), (clock or ManualClock()).monotonic)
    transport = httpx.ASGITransport(door, client=(peer, 1234))
    return httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}")


def _bearer(token):
    return {"authorization": f"Bearer {token}"}


async def _log_in(client, token, **headers):
    return await client.post("/login", data={"token": token}, headers={**OURS, **headers})


pytestmark = pytest.mark.asyncio


async def test_without_a_login_pages_lead_to_it_and_the_rest_is_refused():
    async with _client() as client:
        page = await client.get("/alerts/a?b=c", headers={"accept": "text/html"})
        assert page.status_code == 303
        assert parse_qs(urlsplit(page.headers["location"]).query) == {"next": ["alerts/a?b=c"]}
        for answer in (await client.get("/"), await client.post("/x", headers=OURS), await client.get("/_nicegui/x")):
            assert answer.status_code == 401
        assert (await client.get("/", headers=_bearer("the-token-of-nobody-00"))).status_code == 401
        assert (await client.get("/live")).status_code == 200
    async with _client(_settings(open_probes=False)) as client:
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers=_bearer(VIEWER))).status_code == 200


async def test_a_token_opens_a_session_that_no_script_reads_and_no_other_site_sends():
    async with _client() as client:
        assert "Log in" in (await client.get("/login")).text
        entered = await client.post("/login?next=/alerts/a", data={"token": VIEWER}, headers=OURS)
        assert (entered.status_code, entered.headers["location"]) == (303, "./alerts/a")
        cookie = entered.headers["set-cookie"].lower()
        assert all(part in cookie for part in ("httponly", "samesite=strict", "secure", "path=/", "max-age=43200"))
        assert VIEWER not in cookie
        assert (await client.get("/")).json() == {"user": "vera", "role": "viewer"}
        assert (await client.get("/logout")).status_code == 403
        assert (await client.post("/logout", headers=OURS)).status_code == 303
        assert (await client.get("/")).status_code == 401


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "/\r\nSet-Cookie:a=b"])
async def test_the_login_leads_to_no_other_host(target):
    async with _client() as client:
        entered = await client.post("/login", params={"next": target}, data={"token": VIEWER}, headers=OURS)
        assert entered.headers["location"] == "./"


async def test_viewers_read_and_operators_act(capfd):
    async with _client() as client:
        assert (await client.get("/", headers=_bearer(VIEWER))).status_code == 200
        refused = await client.post("/alerts/a/acknowledge", headers=_bearer(VIEWER))
        assert refused.status_code == 403
        assert "vera is a viewer" in refused.text
        logged = "".join(capfd.readouterr())
        assert "request_refused" in logged
        assert "user=vera" in logged
        assert (await client.post("/alerts/a/acknowledge", headers=_bearer(OPERATOR))).json()["user"] == "olga"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": f"https://{HOST}"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example", "x-forwarded-host": "evil.example"},
    ],
)
async def test_what_does_not_come_from_our_pages_changes_nothing(headers):
    async with _client() as client:
        assert (await client.post("/login", data={"token": OPERATOR}, headers=headers)).status_code == 403
        await _log_in(client, OPERATOR)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert (await client.request(method, "/alerts/a/acknowledge", headers=headers)).status_code == 403
        assert (await client.post("/alerts/a/acknowledge", headers=OURS)).status_code == 200
        only_origin = {"origin": f"https://{HOST}"}
        assert (await client.post("/alerts/a/acknowledge", headers=only_origin)).status_code == 200
    async with _client(ConsoleSettings()) as client:
        assert (await client.post("/alerts/a/acknowledge", headers=headers)).status_code == 403


async def test_guessing_is_slowed_down(capfd):
    clock = ManualClock()
    door = LoginMiddleware(_app, _settings(), clock.monotonic)
    async with _client(app=door) as client:
        for number in range(5):
            assert (await _log_in(client, f"guess {number}")).status_code == 401
        blocked = await _log_in(client, OPERATOR)
        assert (blocked.status_code, blocked.headers["retry-after"]) == (429, "60")
        asked = await client.get("/", headers=_bearer(OPERATOR))
        assert (asked.status_code, asked.headers["retry-after"]) == (429, "60")
        assert "try again in 60 s" in asked.text
        async with _client(app=door, peer="192.0.2.8") as other:
            assert (await _log_in(other, OPERATOR)).status_code == 303
        clock.advance(61)
        assert (await _log_in(client, OPERATOR)).status_code == 303
    assert "guess" not in "".join(capfd.readouterr())


async def test_guesses_sent_at_once_are_no_more_tries():
    door = LoginMiddleware(_app, _settings(), ManualClock().monotonic)
    async with _client(app=door) as client:
        answers = await asyncio.gather(*(_log_in(client, f"guess {number}") for number in range(20)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 15


async def test_strangers_however_many_lock_nobody_out_who_is_logged_in_or_elsewhere():
    door = LoginMiddleware(_app, _settings(), ManualClock().monotonic)
    async with _client(app=door) as client:
        await _log_in(client, OPERATOR)
        for stranger in range(30):
            async with _client(app=door, peer=f"198.51.100.{stranger}") as other:
                for number in range(5):
                    await other.get("/", headers=_bearer(f"guess {number}"))
        for number in range(5):
            await client.get("/", headers=_bearer(f"guess {number}"))
        assert (await client.get("/")).json()["user"] == "olga"
    async with _client(app=door, peer="203.0.113.1") as client:
        assert (await _log_in(client, OPERATOR)).status_code == 303


async def test_who_guesses_through_a_proxy_keeps_nobody_else_behind_it_out():
    door = LoginMiddleware(_app, _settings(trusted_proxies=["10.0.0.0/8"]), ManualClock().monotonic)
    guesser, colleague = {"x-forwarded-for": "192.0.2.7"}, {"x-forwarded-for": "192.0.2.8"}
    async with _client(app=door, peer="10.0.0.1") as client:
        for number in range(5):
            # What the guesser itself puts before makes no new client of it.
            forged = {"x-forwarded-for": f"203.0.113.{number}, {guesser['x-forwarded-for']}"}
            assert (await _log_in(client, f"guess {number}", **forged)).status_code == 401
        assert (await _log_in(client, OPERATOR, **guesser)).status_code == 429
        assert (await _log_in(client, OPERATOR, **colleague)).status_code == 303


async def test_a_trusted_proxy_names_the_user_and_nobody_else_does():
    settings = _settings(tokens=[], trusted_proxies=["10.0.0.0/8"], proxy_login=True, operator_groups=["ops"])
    named = {"x-forwarded-user": "pia", "x-forwarded-groups": "staff, ops"}
    async with _client(settings, peer="10.1.2.3") as client:
        assert (await client.get("/", headers=named)).json() == {"user": "pia", "role": "operator"}
        others = {**named, "x-forwarded-groups": "staff"}
        assert (await client.get("/", headers=others)).json()["role"] == "viewer"
        assert (await client.get("/", headers={"accept": "text/html"})).status_code == 401
        through = {**named, "origin": "https://outside.example", "x-forwarded-host": "outside.example"}
        assert (await client.post("/alerts/a/x", headers=through)).status_code == 200
    async with _client(settings, peer="192.0.2.7") as client:
        assert (await client.get("/", headers=named)).status_code == 401


async def test_a_trusted_proxy_logs_nobody_in_unless_that_is_set():
    named = {"x-forwarded-user": "pia", "x-forwarded-groups": "ops"}
    settings = _settings(trusted_proxies=["10.0.0.0/8"], operator_groups=["ops"])
    async with _client(settings, peer="10.1.2.3") as client:
        assert (await client.get("/", headers=named)).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        [("x-forwarded-user", "eve"), ("x-forwarded-user", "pia")],
        [("x-forwarded-user", "eve, pia")],
        [("x-forwarded-user", "eve"), ("x-forwarded-groups", "ops"), ("x-forwarded-groups", "staff")],
    ],
)
async def test_of_two_names_neither_is_believed(headers):
    settings = _settings(tokens=[], trusted_proxies=["10.0.0.0/8"], proxy_login=True, operator_groups=["ops"])
    async with _client(settings, peer="10.1.2.3") as client:
        refused = await client.get("/", headers=headers)
        assert refused.status_code == 400
        assert "several values" in refused.text


async def test_headers_of_proxies_reach_the_pages_from_trusted_proxies_only():
    seen = {}

    async def app(scope, receive, send):
        seen.update(HTTPConnection(scope).headers)
        await _app(scope, receive, send)

    settings = _settings(trusted_proxies=["10.0.0.0/8"], user_header="remote-user")
    sent = {
        "x-forwarded-prefix": "/evil",
        "x-forwarded-host": "evil.example",
        "remote-user": "eve",
        "forwarded": "for=a",
    }
    for peer, kept in (("192.0.2.7", set()), ("10.0.0.1", set(sent))):
        seen.clear()
        door = LoginMiddleware(app, settings, ManualClock().monotonic)
        async with _client(app=door, peer=peer) as client:
            await client.get("/", headers={**sent, **_bearer(VIEWER)})
        assert sent.keys() & seen.keys() == kept


async def test_web_sockets_are_guarded_too():
    door = LoginMiddleware(_socket, _settings(), ManualClock().monotonic)
    cookie = f"__Host-{COOKIE}={door.sessions.cookie(door.sessions.begin(User('vera', 'viewer')))}"
    assert await _handshake(door, {}) == "websocket.close"
    assert await _handshake(door, {"cookie": cookie}) == "websocket.close"
    assert await _handshake(door, {"cookie": cookie, "origin": "https://evil.example"}) == "websocket.close"
    assert await _handshake(door, {"cookie": cookie, "origin": f"https://{HOST}"}) == "websocket.accept"


async def _socket(scope, receive, send):
    await send({"type": "websocket.accept"})


async def _handshake(door, headers):
    sent = []
    raw = [(name.encode(), value.encode()) for name, value in {"host": HOST, **headers}.items()]
    scope = {
        "type": "websocket",
        "scheme": "wss",
        "path": "/_nicegui_ws/",
        "query_string": b"",
        "headers": raw,
        "client": ("1.2.3.4", 1),
    }
    await door(scope, None, lambda message: _collect(sent, message))
    return sent[0]["type"]


async def _collect(sent, message):
    sent.append(message)


def _sessions(settings=None, now_s=lambda: 1_000_000.0):
    settings = settings or _settings()
    return Sessions(settings, Identities(settings), now_s)


OLGA = User("olga", "operator")


def _user(sessions, cookie):
    session = sessions.find(cookie)
    return session and session.user


async def test_sessions_end_and_cannot_be_made_up():
    now = [1_000_000.0]
    sessions = _sessions(_settings(session_hours=1), lambda: now[0])
    value = sessions.cookie(sessions.begin(OLGA))
    assert _user(sessions, value) == OLGA
    claims, _, signature = value.rpartition(".")
    other = sessions.cookie(sessions.begin(User("vera", "viewer"))).rpartition(".")[0]
    for wrong in ("", ".", "x", "é.é", f"{other}.{signature}", f"{claims}.", f"{claims}.0", f"{claims}x.{signature}"):
        assert sessions.find(wrong) is None
    now[0] += 3_601
    assert sessions.find(value) is None


async def test_sessions_of_consoles_with_one_key_are_shared_and_end_with_their_token():
    key = SecretStr("the-session-key-that-consoles-share")
    issuer = _sessions(_settings(session_key=key))
    value = issuer.cookie(issuer.begin(OLGA))
    assert _user(_sessions(_settings(session_key=key)), value) == OLGA
    assert _sessions().find(value) is None
    for tokens in ([], [{"name": "olga", "role": "operator", "token": "another-token-01234"}],
                   [{"name": "olga", "role": "viewer", "token": OPERATOR}]):  # fmt: skip
        assert _sessions(_settings(session_key=key, tokens=tokens)).find(value) is None


async def test_a_cookie_that_was_copied_is_worth_nothing_after_the_logout():
    door = LoginMiddleware(_app, _settings(), ManualClock().monotonic)
    async with _client(app=door) as client, _client(app=door, peer="192.0.2.8") as thief:
        await _log_in(client, OPERATOR)
        thief.cookies.update(client.cookies)
        assert (await thief.get("/explore.csv")).status_code == 200
        await client.post("/logout", headers=OURS)
        assert (await thief.get("/explore.csv")).status_code == 401
        assert (await thief.post("/alerts/a/acknowledge", headers=OURS)).status_code == 401
        await _log_in(client, OPERATOR)
        assert (await client.get("/")).status_code == 200
        assert (await thief.get("/")).status_code == 401


async def test_a_new_login_ends_the_session_before_it():
    door = LoginMiddleware(_app, _settings(), ManualClock().monotonic)
    async with _client(app=door) as client, _client(app=door, peer="192.0.2.8") as thief:
        await _log_in(client, OPERATOR)
        thief.cookies.update(client.cookies)
        await _log_in(client, VIEWER)
        assert (await client.get("/")).json()["user"] == "vera"
        assert (await thief.get("/")).status_code == 401


async def test_a_logout_outlasts_a_restart_although_consoles_share_the_key():
    key, now = SecretStr("the-session-key-that-consoles-share"), [1_000_000.0]
    before = _sessions(_settings(session_key=key), lambda: now[0])
    session = before.begin(OLGA)
    before.revoke(session)
    now[0] += 1
    assert _sessions(_settings(session_key=key), lambda: now[0]).find(before.cookie(session)) is None


async def test_no_number_of_logouts_makes_a_revoked_session_valid_again(monkeypatch):
    monkeypatch.setattr(module, "_MAX_REVOKED", 3)
    now = [1_000_000.0]
    sessions = _sessions(now_s=lambda: now[0])
    first = sessions.begin(OLGA)
    sessions.revoke(first)
    for _ in range(10):
        now[0] += 1
        sessions.revoke(sessions.begin(OLGA))
        assert sessions.find(sessions.cookie(first)) is None
        assert len(sessions._revoked) <= 3
    now[0] += 1
    assert _user(sessions, sessions.cookie(sessions.begin(OLGA))) == OLGA


class Socket:
    """A web socket through the door, as a browser holds it open."""

    def __init__(self, door, cookie):
        self.incoming, self.sent, self.received, self.accepted = asyncio.Queue(), [], [], asyncio.Event()
        headers = {"host": HOST, "origin": f"https://{HOST}", "cookie": cookie}
        scope = {
            "type": "websocket", "path": "/_nicegui_ws/", "query_string": b"", "client": ("192.0.2.7", 1),
            "scheme": "wss", "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        self.ended = asyncio.ensure_future(door(scope, self.incoming.get, self._send))

    async def _send(self, message):
        self.sent.append(message)

    async def serve(self, scope, receive, send):
        """The application behind the door."""
        await send({"type": "websocket.accept"})
        self.accepted.set()
        while True:
            self.received.append(await receive())
            if self.received[-1]["type"] == "websocket.disconnect":
                return


async def _open_socket(door, session):
    socket = Socket(door, f"__Host-{COOKIE}={door.sessions.cookie(session)}")
    door._app = socket.serve
    await socket.accepted.wait()
    return socket


@pytest.mark.parametrize("how", ["logout", "expiry", "removed token"])
async def test_the_end_of_a_session_closes_its_web_sockets(how):
    now = [1_000_000.0]
    door = LoginMiddleware(_app, _settings(), ManualClock().monotonic)
    door.sessions = Sessions(door.settings, door.identities, lambda: now[0])
    session = door.sessions.begin(OLGA)
    now[0] += 1
    socket = await _open_socket(door, session)
    bystander = await _open_socket(door, door.sessions.begin(User("vera", "viewer")))
    if how == "logout":
        door.sessions.revoke(session)
    else:
        if how == "expiry":
            now[0] = session.ends_at_s
        else:
            del door.identities._tokens[digest_of(OPERATOR)]
        # Checked at each message: what an ended session sends reaches no page.
        await socket.incoming.put({"type": "websocket.receive", "text": "42"})
    await asyncio.wait_for(socket.ended, 5)
    assert socket.received == [{"type": "websocket.disconnect", "code": 1008}]
    assert socket.sent[-1] == {"type": "websocket.close", "code": 1008}
    assert not bystander.ended.done()
    bystander.ended.cancel()


async def test_a_web_socket_does_not_outlast_the_time_of_its_session():
    door = LoginMiddleware(_app, _settings(), ManualClock().monotonic)
    session = door.sessions.begin(OLGA)
    socket = await _open_socket(door, replace(session, ends_at_s=session.began_at_s + 0.05))
    await asyncio.wait_for(socket.ended, 5)
    assert socket.received == [{"type": "websocket.disconnect", "code": 1008}]
    assert not door.sessions._sockets


async def test_the_whole_service_has_its_headers_and_its_door():
    app = build_service(Metrics(), WebHealth(lambda: None), lambda key: None, None, _settings())
    async with _client(app=app) as client:
        refused = await client.get("/alerts/a")
        assert refused.status_code == 401
        seen = await client.get("/alerts/a", headers=_bearer(VIEWER))
        assert seen.status_code == 404
        for answer in (refused, seen, await client.get("/login")):
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
        assert (await client.get("/metrics")).status_code == 200


async def test_behind_https_every_cookie_is_secure_and_https_stays():
    settings = _settings(trusted_proxies=["10.0.0.0/8"])
    app = build_service(Metrics(), WebHealth(lambda: None), lambda key: alert(), object(), settings)
    transport = httpx.ASGITransport(app, client=("10.0.0.1", 1234))
    for proto, secure in (("https", True), ("http", False)):
        seen = {}
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            client.headers.update({"x-forwarded-proto": proto, "sec-fetch-site": "same-origin"})
            for answer in (
                await client.post("/login", data={"token": OPERATOR}),
                await client.get("/language/zh", headers=_bearer(OPERATOR)),
                await client.get("/alerts/a", headers=_bearer(OPERATOR)),
                await client.post("/logout"),
            ):
                assert ("strict-transport-security" in answer.headers) is secure
                for cookie in answer.headers.get_list("set-cookie"):
                    seen[cookie.partition("=")[0]] = "; secure" in cookie.lower()
        prefix = "__Host-" if secure else ""
        assert seen == dict.fromkeys((f"{prefix}triage_{name}" for name in ("session", "language", "csrf")), secure)


async def test_nobody_listens_to_the_network_without_a_login():
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(SystemExit) as ended:
            main(["console", "--host", host])
        assert ended.value.code == 2
    with pytest.raises(ConfigError, match="fewer than 16 characters"):
        load_settings(None, {"console.tokens": [{"name": "a", "token": "short"}]})
    with pytest.raises(ConfigError, match="names must differ"):
        load_settings(None, {"console.tokens": [{"name": "a", "token": OPERATOR}, {"name": "a", "token": VIEWER}]})
    with pytest.raises(ConfigError, match=r"'10\.0\.0\.0/99' is not an address or network"):
        load_settings(None, {"console.trusted_proxies": ["10.0.0.0/99"]})
    with pytest.raises(ConfigError, match="they alone log nobody in"):
        load_settings(None, {"console.trusted_proxies": ["10.0.0.0/8"]})
    with pytest.raises(ConfigError, match="also set trusted_proxies and user_header"):
        load_settings(None, {"console.proxy_login": True})
    with pytest.raises(ConfigError, match="fewer than 32 characters"):
        load_settings(None, {"console.session_key": "k" * 31})
