"""`triage console` as a process: it starts and stays up without Elasticsearch and Kafka, and ends on SIGTERM."""

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from browser import CHROMIUM, Browser

NOWHERE = ["--elasticsearch", "http://127.0.0.1:9", "--bootstrap-servers", "127.0.0.1:9"]


@pytest.fixture
def console(tmp_path):
    """URL and process of a console whose Elasticsearch and Kafka are away."""
    # NiceGUI behaves otherwise where it sees pytest.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", "console", "--port", "0", *NOWHERE, "--set", "logging.format=json"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    try:
        seen = []
        for line in process.stderr:
            seen.append(line)
            if '"console_started"' in line:
                break
        else:
            pytest.fail("".join(seen))
        yield json.loads(line)["url"], process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_page_and_probes_without_elasticsearch_and_a_clean_end(console):
    url, process = console
    with httpx.Client(base_url=url, transport=httpx.HTTPTransport(retries=5), timeout=30) as client:
        assert client.get("/live").status_code == 200
        assert client.get("/ready").status_code == 503
        assert client.get("/alerts/triage-1").status_code == 503
        page = client.get("/")
        assert page.status_code == 200
        assert page.headers["content-security-policy"].startswith("default-src 'self'")
        for title in ("Sentiment over time", "Alerts", "Latest feedback", "Top intents"):
            assert title in page.text
        for path in ("explore", "alerts", "review", "conversations", "fleet", "records/r1"):
            answer = client.get(f"/{path}")
            assert (answer.status_code, "Can’t read new data." in answer.text) == (200, True), path
        assert client.get("/explore.csv").status_code == 503
        hosts = {part.split("/")[0] for part in page.text.split("://")[1:]}
        assert hosts <= {"www.w3.org"}, "everything comes from the console itself"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")
def test_a_browser_shows_the_banner_and_reports_no_errors(console, tmp_path):
    url, _ = console
    browser = Browser(tmp_path / "profile")
    try:
        browser.open(url)
        browser.wait_for_text("Can’t read new data.")
        assert "Nothing read yet" in browser.text()
        assert browser.errors == []
    finally:
        browser.close()


def test_a_taken_port_is_a_configuration_error(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "triage", "console", "--port", str(port), *NOWHERE],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
