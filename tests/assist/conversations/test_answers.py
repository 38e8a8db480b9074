"""Webhooks of playbooks: what they send, and that whatever is wrong with them is a failed look-up."""

import httpx
import msgspec
import pytest

from triage.assist.conversations.answers import HttpWebhooks
from triage.config import PlaybookWebhook

TARGET = {"shop": PlaybookWebhook(url="https://shop.example/status", token="s" * 20, timeout_s=1)}


def asked(answer) -> tuple[dict[str, str] | None, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    hooks = HttpWebhooks(TARGET, httpx.MockTransport(handle))
    found = hooks.ask("shop", "c-1", {"order_id": "1234"})
    hooks.close()
    return found, seen


def test_slots_are_sent_and_texts_and_numbers_come_back() -> None:
    found, (request,) = asked(
        httpx.Response(200, json={"state": "moving", "days": 3, "paid": True, "list": [1], "n": None})
    )
    assert found == {"state": "moving", "days": "3"}
    assert msgspec.json.decode(request.content) == {"conversation": "c-1", "slots": {"order_id": "1234"}}
    assert request.headers["authorization"] == "Bearer " + "s" * 20


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500), httpx.Response(302, headers={"location": "https://elsewhere.example"}),
        httpx.Response(200, content=b"no json"), httpx.Response(200, json=[1]),
        httpx.Response(200, content=b"x" * 70_000), httpx.Response(200, content=b"[" * 60_000),
        httpx.ReadTimeout("late"), httpx.ConnectError("gone"),
    ],
)  # fmt: skip
def test_anything_else_is_a_failed_look_up(answer) -> None:
    assert asked(answer)[0] is None


def test_an_answer_that_comes_byte_by_byte_is_cut_off() -> None:
    seconds = iter(range(100))
    drips = httpx.Response(200, content=iter([b"{"] * 50))
    hooks = HttpWebhooks(TARGET, httpx.MockTransport(lambda _: drips), lambda: next(seconds))
    assert hooks.ask("shop", "c-1", {}) is None
    assert next(seconds) < 10


def test_an_unknown_webhook_fails() -> None:
    assert HttpWebhooks({}).ask("shop", "c-1", {}) is None


def test_a_webhook_that_keeps_failing_is_left_alone_for_a_while() -> None:
    now = [0.0]
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"state": "moving"}) if len(seen) > 4 else httpx.Response(500)

    hooks = HttpWebhooks(TARGET, httpx.MockTransport(handle), lambda: now[0])
    for _ in range(10):
        assert hooks.ask("shop", "c-1", {}) is None
    assert len(seen) == 3
    now[0] = 20.0
    # One attempt tells whether it is back; a failure lets it rest again at once.
    assert [hooks.ask("shop", "c-1", {}) for _ in range(3)] == [None] * 3
    assert len(seen) == 4
    now[0] = 40.0
    assert hooks.ask("shop", "c-1", {}) == {"state": "moving"}
    hooks.close()
