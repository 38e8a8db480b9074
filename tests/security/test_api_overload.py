"""A running API with the slowest rule that is accepted, under all that holds it up at once."""

import json
import threading
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from running_service import RunningApi

IDLE = 500
JSON = {"Content-Type": "application/json"}
# As many steps as a rule may have; on a text of a and b at random its automaton is larger than its memory.
RULES = """version: slow
default: {severity: low, queue: general}
severity:
  - {name: slowest, set: low, when: {text_regex: "a[ab]{490}c"}}
"""


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    rules = folder / "rules.yaml"
    rules.write_text(RULES, "utf-8")
    settings = {"api.health_port": "0", "api.enrich_timeout_s": "300", "rules.path": str(rules)}
    with RunningApi(folder, settings, max_files=256) as running:
        yield running


def _seconds(url):
    """The status of a probe, and how long it took on a new connection."""
    began = time.monotonic()
    status = httpx.get(url, timeout=10).status_code
    return status, time.monotonic() - began


def test_probes_answer_beside_idle_connections_an_endless_upload_and_the_slowest_rule(api):
    noise = "".join("ab"[(n * n + n // 7) * 2654435761 >> 7 & 1] for n in range(20_000))
    body = json.dumps({"records": [{"text": f"{number} {noise[number:]}"} for number in range(4)]})
    done, answers = threading.Event(), []

    def ask():
        while not done.is_set():
            answer = httpx.post(f"{api.url}/v1/enrich", content=body, headers=JSON, timeout=300)
            answers.append((answer.status_code, answer.elapsed.total_seconds()))

    upload = f"POST /v1/enrich HTTP/1.1\r\nHost: {urlsplit(api.url).netloc}\r\nContent-Type: application/json\r\n"
    health = f"http://127.0.0.1:{api.event('health_started')['port']}"
    asking = [threading.Thread(target=ask) for _ in range(2)]
    with ExitStack() as stack:
        for each in asking:
            each.start()
            stack.callback(each.join)
        stack.callback(done.set)
        for number in range(IDLE):
            stack.enter_context(api.connect(b"GET /live HTTP/1.1\r\n" if number % 2 else b""))
        stack.enter_context(api.connect(f"{upload}Content-Length: 300000000\r\n\r\n".encode()))
        began = time.monotonic()
        while len(answers) < 4 and time.monotonic() < began + 60:
            for path in ("/live", "/ready"):
                for listener in (api.url, health):
                    times = [_seconds(f"{listener}{path}") for _ in range(3)]
                    assert {status for status, _ in times} == {200}, path
                    assert min(seconds for _, seconds in times) < 1, path
    assert {status for status, _ in answers} == {200}, answers
