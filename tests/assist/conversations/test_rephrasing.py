"""A language model of the operator, played by a hostile stub over HTTP: it never adds a claim to a passage."""

import json
import threading
from collections.abc import Iterator

import pytest
from scripted_http import ScriptedServer, Sent

from triage.assist.conversations.claims import problem_of
from triage.assist.conversations.rephrasing import EndpointRephraser
from triage.config import AssistEndpoint, load_settings
from triage.errors import ConfigError
from triage.metrics import Metrics

EN = "You can return an item within 30 days if it is not used. Open Orders and choose Return."
ZH = "商品未使用的，可在30天内退货。请打开“我的订单”并选择“退货”。"
TOKEN = "the-token-of-the-model"


class Stub:
    """An endpoint that answers what the test says."""

    def __init__(self) -> None:
        self.answer: object = ""
        self.released = threading.Event()
        self.server = ScriptedServer(self._answer)

    def _answer(self, sent: Sent) -> tuple[object, ...] | None:
        del sent
        if self.answer == "hang":
            self.released.wait(20)
            return None
        if isinstance(self.answer, tuple) or self.answer is None:
            return self.answer
        return 200, {"choices": [{"message": {"content": self.answer}, "finish_reason": "stop"}]}

    def close(self) -> None:
        self.released.set()
        self.server.close()


@pytest.fixture
def stub() -> Iterator[Stub]:
    found = Stub()
    yield found
    found.close()


def rephraser(stub: Stub, metrics: Metrics | None = None, **settings: object) -> EndpointRephraser:
    options = {"url": f"{stub.server.url}/v1", "token": TOKEN, "timeout_s": 5, **settings}
    return EndpointRephraser(AssistEndpoint(**options), metrics or Metrics())


@pytest.mark.parametrize(
    ("passage", "language", "text"),
    [
        (EN, "en", "If it is not used, an item can be returned within 30 days: open Orders and choose Return."),
        (ZH, "zh", "您好，商品未使用，可在30天内退货，请打开“我的订单”选择“退货”。"),
    ],
)
def test_other_words_for_the_same_are_said(stub: Stub, passage: str, language: str, text: str) -> None:
    stub.answer = f"  {text}\n"
    metrics = Metrics()
    one = rephraser(stub, metrics)
    assert one.rephrased("can I return it?", passage, language) == text
    one.close()
    (sent,) = stub.server.sent
    assert (sent.path, sent.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {TOKEN}")
    asked = json.loads(sent.body)["messages"]
    # The redacted question and the cited passage leave the house, and nothing else.
    assert json.loads(asked[1]["content"]) == {"question": "can I return it?", "passage": passage}
    assert len(asked) == 2
    assert metrics.registry.get_sample_value("triage_conversation_rephrased_total", {"outcome": "used"}) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("You can return an item within 60 days if it is not used.", "number"),
        ("You can return an item within ３１ days if it is not used.", "number"),
        ("You can return an item within thirty-one days if it is not used.", "number"),
        ("You can return it within 30 days or 2 weeks if it is not used.", "number"),
        ("You can return it by Monday, within 30 days, if it is not used.", "date"),
        ("You can return it within 30 hours if it is not used.", "date"),
        ("Return it within 30 days, if it is not used, at no extra cost.", "amount"),
        ("Return it within 30 days if it is not used, for $30.", "sign"),
        ("Return it within 30 days if not used: https://evil.example/return", "link"),
        ("Return it within 30 days if not used, see evil.example.", "link"),
        ("Return it within 30 days if not used, write to help@evil.example.", "link"),
        ("Return it within 30 days if not used. [Click](here)", "link"),
        ("Return it within 30 days if not used. <b>Now</b>", "link"),
        ("We guarantee that you can return an item within 30 days if it is not used.", "promise (guarantee)"),
        ("You will get your item returned within 30 days if it is not used.", "promise (future)"),
        ("Within 30 days you can return it for a refund if it is not used.", "promise (refund)"),
        ("Within 30 days you can return it for free if it is not used.", "promise (gift)"),
        ("Your return within 30 days is approved, if it is not used.", "promise (approval)"),
        ("We have sent the return label, within 30 days, if it is not used.", "promise (action)"),
        ("Within 30 days if it is not used, tell me your password.", "promise (secret)"),
        ("You can return an item within 30 days if it is used.", "negation"),
        ("You cannot return an item within 30 days if it is not used.", "negation"),
        ("商品未使用可在30天内退货。", "language"),
        ("You can return an item within 30 days if it is not used." + " Open Orders." * 40, "too_long"),
        ("Return it within 30 days if not\u202e used.", "control_characters"),
        ("Return it within 30 days if not used.\x00", "control_characters"),
        ("   ", "empty"),
    ],
)
def test_a_text_that_claims_more_is_dropped_for_the_passage(stub: Stub, text: str, problem: str) -> None:
    stub.answer = text
    one = rephraser(stub)
    assert one.rephrased("can I return it?", EN, "en") == EN
    one.close()
    assert problem_of(text.strip(), [EN], "en") == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("商品未使用的，可在60天内退货。", "number"), ("商品未使用的，可在三十天内退货。", "number"),
        ("商品未使用的，可在30天内退货，明天到账。", "date"), ("商品未使用的，可在30天内退货，补偿100元。", "number"),
        ("商品未使用的，可在30天内退货，运费商家出。", "amount"),
        ("商品未使用的，30天内保证可退货。", "promise (guarantee)"),
        ("商品未使用的，可在30天内免费退货。", "promise (gift)"), ("商品使用过的，可在30天内退货。", "negation"),
        ("商品未使用的，可在30天内退货，我们已为您办理。", "promise (action)"),
        ("商品未使用的，可在30天内退货，请加微信 abc。", "language"), ("You can return it", "language"),
        ("商品未使用的，可在30天内退货，请提供密码。", "promise (secret)"),
    ],
)  # fmt: skip
def test_so_is_one_in_chinese(stub: Stub, text: str, problem: str) -> None:
    stub.answer = text
    one = rephraser(stub)
    assert one.rephrased("可以退货吗？", ZH, "zh") == ZH
    one.close()
    assert problem_of(text, [ZH], "zh") == problem


@pytest.mark.parametrize(
    "answer",
    [
        None, (500, {}), (302, {}, {"location": "http://127.0.0.1:9/"}), (200, b"no json"), (200, b"\xff\xfe"),
        (200, {}), (200, {"choices": []}), (200, {"choices": [{"message": {"content": 3}}]}), (200, [1]),
        (200, {"choices": [{"message": {"content": None, "tool_calls": [{"name": "refund"}]}}]}),
        (200, {"choices": [{"message": {"content": "Return"}, "finish_reason": "length"}]}),
        (200, b"[" * 60_000), (200, {"choices": [{"message": {"content": "x" * 200_000}}]}),
    ],
)  # fmt: skip
def test_whatever_else_comes_the_passage_is_said(stub: Stub, answer: object) -> None:
    stub.answer = answer
    one = rephraser(stub)
    assert one.rephrased("can I return it?", EN, "en") == EN
    one.close()


def test_an_endpoint_that_hangs_costs_its_time_out_and_then_rests(stub: Stub) -> None:
    stub.answer = "hang"
    metrics = Metrics()
    one = rephraser(stub, metrics, timeout_s=0.1)
    for _ in range(6):
        assert one.rephrased("can I return it?", EN, "en") == EN
    one.close()
    assert len(stub.server.sent) == 3
    value = metrics.registry.get_sample_value
    assert value("triage_conversation_rephrased_total", {"outcome": "failed"}) == 3
    assert value("triage_conversation_rephrased_total", {"outcome": "resting"}) == 3


def test_it_is_off_by_default_and_a_bad_address_is_refused() -> None:
    assert load_settings(None, {}).assist.endpoint.url is None
    with pytest.raises(ConfigError, match=r"assist.endpoint.*http\(s\)://host"):
        load_settings(None, {"assist.endpoint.url": "ftp://x"})
    with pytest.raises(ValueError, match="not set"):
        EndpointRephraser(AssistEndpoint(), Metrics())
