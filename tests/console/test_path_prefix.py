"""The console under a path prefix: login, pages, actions and logout, behind a proxy that removes the prefix or not."""

import json
import re
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from browser import CHROMIUM, Browser
from reverse_proxy import ReverseProxy
from running_service import TOKEN, TOKENS, RunningConsole

from triage.config import ConsoleSettings
from triage.console.app import build_service, check_prefix
from triage.errors import ConfigError
from triage.metrics import Metrics
from triage.web.health import WebHealth

KEY = "triage-1"
HOST = "https://tools.example"
FROM_HERE = {"sec-fetch-site": "same-origin", "accept": "text/html"}


class Recorder:
    def __init__(self):
        self.sent = []

    def acknowledge(self, dedup_key, actor, comment=""):
        self.sent.append((dedup_key, actor, comment))


class Proxied(httpx.ASGITransport):
    """A reverse proxy in the way of a client's requests, by itself at 10.0.0.1."""

    def __init__(self, app, strips, names_it, prefix="/tools/triage"):
        super().__init__(app, client=("10.0.0.1", 1))
        self._strips, self._names_it, self._prefix = strips, names_it, prefix

    async def handle_async_request(self, request):
        path = request.url.path
        assert path.startswith(f"{self._prefix}/"), f"leads to another service: {path}"
        headers = httpx.Headers(request.headers)
        if self._names_it:
            headers["x-forwarded-prefix"] = self._prefix
        raw = request.url.raw_path.removeprefix(self._prefix.encode() if self._strips else b"")
        url = request.url.copy_with(raw_path=raw)
        behind = httpx.Request(request.method, url, headers=headers, stream=request.stream)
        return await super().handle_async_request(behind)


WAYS = {
    "header": ({"trusted_proxies": ["10.0.0.0/8"]}, True, True),
    "setting, removed": ({"path_prefix": "/tools/triage"}, True, False),
    "setting, kept": ({"path_prefix": "tools/triage/"}, False, False),
    "nothing said": ({}, True, False),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("way", WAYS)
async def test_login_actions_and_logout_stay_under_the_prefix(way, make_alert):
    fields, strips, names_it = WAYS[way]
    recorder, alert = Recorder(), make_alert(dedup_key=KEY)
    settings = ConsoleSettings(tokens=TOKENS, **fields)
    app = build_service(Metrics(), WebHealth(lambda: None), {KEY: alert}.get, recorder, settings)
    top = f"{HOST}/tools/triage/"
    async with httpx.AsyncClient(
        transport=Proxied(app, strips, names_it), headers=FROM_HERE, follow_redirects=True
    ) as client:
        login = await client.get(f"{top}alerts/{KEY}?done=snooze")
        assert login.url.path == "/tools/triage/login"
        form = urljoin(str(login.url), re.search(r'<form[^>]* action="([^"]+)"', login.text)[1])
        page = await client.post(form, data={"token": TOKEN["olga"]})
        assert str(page.url) == f"{top}alerts/{KEY}?done=snooze"
        for address in re.findall(r'(?:href|action)="([^"]+)"', page.text):
            assert urljoin(str(page.url), address).startswith((top, "data:")), address
        token = re.search(r'name="token" value="([\w.-]+)"', page.text)[1]
        action = re.search(r'action="([^"]+/acknowledge)"', page.text)[1]
        done = await client.post(urljoin(str(page.url), action), data={"token": token, "comment": "on it"})
        assert str(done.url) == f"{top}alerts/{KEY}?done=acknowledge"
        assert recorder.sent == [(KEY, "olga", "on it")]
        chinese = await client.get(urljoin(str(done.url), re.search(r'href="([^"]+/zh\?[^"]+)"', done.text)[1]))
        assert str(chinese.url) == str(done.url)
        assert 'lang="zh-CN"' in chinese.text
        logout = re.search(r'action="([^"]+logout)"', chinese.text)[1]
        out = await client.post(urljoin(str(chinese.url), logout))
        assert str(out.url) == f"{top}login"
        assert (await client.get(f"{top}alerts/{KEY}")).url.path == "/tools/triage/login"


@pytest.mark.asyncio
async def test_consoles_of_one_host_keep_their_sessions_apart():
    cookies = {}
    for prefix in ("/one", "/two"):
        app = build_service(
            Metrics(), WebHealth(lambda: None), {}.get, None, ConsoleSettings(tokens=TOKENS, path_prefix=prefix)
        )
        transport = Proxied(app, strips=True, names_it=False, prefix=prefix)
        async with httpx.AsyncClient(transport=transport, headers=FROM_HERE) as client:
            answer = await client.post(f"{HOST}{prefix}/login", data={"token": TOKEN["olga"]})
            assert "path=/;" in answer.headers["set-cookie"].lower()
            cookies |= dict(answer.cookies)
    assert set(cookies) == {"__Host-triage_session.one", "__Host-triage_session.two"}


@pytest.mark.asyncio
async def test_nobody_but_a_trusted_proxy_names_a_prefix():
    settings = ConsoleSettings(tokens=TOKENS, trusted_proxies=["192.0.2.1"])
    app = build_service(Metrics(), WebHealth(lambda: None), {}.get, None, settings)
    async with httpx.AsyncClient(transport=Proxied(app, strips=True, names_it=True), headers=FROM_HERE) as client:
        answer = await client.get(f"{HOST}/tools/triage/alerts/a")
        assert answer.headers["location"] == "../login?next=alerts%2Fa"


@pytest.mark.parametrize("prefix", ["/alerts", "/records/triage"])
def test_a_prefix_that_is_a_page_is_refused(prefix):
    with pytest.raises(ConfigError, match="is a page of the console; take another name"):
        check_prefix(prefix, ["/", "/alerts", "/records/{record_id}"])
    check_prefix("/tools/alerts", ["/", "/alerts"])
    check_prefix("", ["/", "/alerts"])


def _settings(way):
    fields, _, _ = WAYS[way]
    # The proxy of these tests runs on this machine.
    return {f"console.{name}": value if isinstance(value, str) else '["127.0.0.1"]' for name, value in fields.items()}


@pytest.fixture(scope="module", params=["header", "setting, kept"])
def proxied(request, tmp_path_factory):
    """The address of a whole console behind a real proxy."""
    _, strips, names_it = WAYS[request.param]
    settings = {"console.tokens": json.dumps(TOKENS), **_settings(request.param)}
    with (
        RunningConsole(tmp_path_factory.mktemp("console"), settings) as console,
        ReverseProxy(console.url, "/tools/triage", strips=strips, names_it=names_it) as proxy,
    ):
        yield proxy.url


def test_every_file_of_every_page_comes_from_below_the_prefix(proxied):
    with httpx.Client(headers=FROM_HERE, follow_redirects=True, timeout=30) as client:
        client.post(f"{proxied}login", data={"token": TOKEN["olga"]})
        for path in ("", "explore", "alerts", "review", "conversations", "market", "fleet", "records/r1"):
            page = client.get(proxied + path)
            assert page.status_code == 200, path
            found = re.findall(r'(?:src|href)="([^"#]+)"|url\("([^"]+)"\)', page.text)
            files = {urljoin(str(page.url), a or b) for a, b in found if not (a or b).startswith("data:")}
            assert files
            for address in files:
                assert address.startswith(proxied), address
        scripts = [address for address in files if "/_nicegui/" in address]
        assert scripts
        assert {client.get(address).status_code for address in scripts} == {200}


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")
def test_a_browser_logs_in_sees_live_pages_and_logs_out(proxied, tmp_path):
    browser = Browser(tmp_path / "profile", "--accept-lang=en")
    try:
        # Without its slash, as people type it.
        browser.open(f"{proxied.rstrip('/')}")
        browser.wait_for("document.querySelector('input[name=token]')")
        browser.evaluate(f"document.querySelector('input[name=token]').value = {json.dumps(TOKEN['olga'])}")
        browser.click("button")
        browser.wait_for_text("Can’t read new data.")
        browser.wait_for("window.socket && window.socket.connected")
        browser.click(".tabs a", "Explore")
        browser.wait_for("document.querySelector('form.search')")
        browser.click("form.search button")
        browser.wait_for("location.pathname.endsWith('/explore') && document.querySelector('form.search')")
        browser.click(".tabs a", "Now")
        browser.wait_for("document.querySelector('#over-time')")
        browser.click(".who button")
        browser.wait_for("document.querySelector('input[name=token]')")
        assert urlsplit(browser.evaluate("location.href")).path == "/tools/triage/login"
        assert browser.errors == []
    finally:
        browser.close()
