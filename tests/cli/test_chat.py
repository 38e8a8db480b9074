"""`triage chat`."""

import io
import json

import pytest
from cli import run


def chat(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str, *options: str):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return run(capfd, "chat", "--no-model", *options)


def test_lines_are_turns_and_a_person_takes_over(capfd, monkeypatch) -> None:
    found = chat(capfd, monkeypatch, "hello\nI want a refund\n\nhuman please\n/suggest\n/quit\n")
    assert found.code == 0
    assert "order number" in found.out
    assert "a person takes over: asked_for_person" in found.err
    assert "1 ask_reason" in found.err


def test_another_conversation_begins_after_the_end(capfd, monkeypatch) -> None:
    found = chat(capfd, monkeypatch, "hello\nthanks, bye\n我要退款\n")
    assert "has ended" in found.err
    assert "订单号" in found.out


def test_json_is_the_form_of_the_api(capfd, monkeypatch) -> None:
    turns = [{"turn": 1, "from": "customer", "text": "refund"}] * 2 + [
        {"turn": 3, "from": "customer", "text": "x"},
        {"turn": 1},
    ]
    found = chat(capfd, monkeypatch, "\n".join(map(json.dumps, turns)), "--json")
    first, again, early, bad = map(json.loads, found.out.splitlines())
    assert first == again
    assert (first["turn"], first["state"], first["ask"]) == (1, "bot", "order_id")
    assert early["error"]["code"] == "turn_out_of_order"
    assert bad["error"]["code"] == "bad_turn"
