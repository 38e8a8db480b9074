"""Lookups by the bot: cited passages that answer a question, and the operator's webhooks."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import httpx
import msgspec

from triage.assist.conversations.bounded import read_bounded
from triage.config import PlaybookWebhook
from triage.decoding import decoded
from triage.logging import get_logger
from triage.schemas.conversation import Said

log = get_logger("triage.conversations")

_MAX_VALUE_CHARS = 200
# A service that hangs would hold the turns of all customers, each for its time-out.
_FAILURES = 3
_REST_S = 20.0


class Answerer(Protocol):
    """Answers a question by verbatim passages of the knowledge base. Must not raise."""

    def cited(self, question: str, language: str) -> list[Said]:
        """Return passages that answer the question, each with its `passage` id; empty if the evidence is too weak."""
        ...


class Advised(NamedTuple):
    """Advice on products: the texts to say, what the playbook's slot keeps until the next turn, and the outcome.

    `outcome` is found, missing or failed; None while the guide waits for the customer's answer.
    """

    say: list[Said]
    known: str
    outcome: str | None


class ProductGuide(Protocol):
    """Advises on products of a catalogue. Must not raise."""

    def advise(self, text: str, language: str, known: str) -> Advised:
        """Advise after a turn of the customer, whose text is `text`.

        `known` is that of the advice before, at first empty.
        """
        ...


class NoGuide:
    """A guide without a catalogue, whose every advice fails."""

    def advise(self, text: str, language: str, known: str) -> Advised:
        del text, language
        return Advised([], known, "failed")


class NoKnowledge:
    """An answerer that never answers: without a knowledge base the bot only says texts of playbooks."""

    def cited(self, question: str, language: str) -> list[Said]:
        del question, language
        return []


class Webhooks(Protocol):
    """Queries a service of the operator. Must not raise, and must return within a few seconds."""

    def ask(self, name: str, conversation: str, slots: Mapping[str, str]) -> dict[str, str] | None:
        """Return the values, by slot, that the webhook `name` knows; None if it failed or gave an invalid response.

        `slots` are the values that it gets, `conversation` is the conversation's id.
        """
        ...


class HttpWebhooks:
    """Webhooks over HTTP: a POST of `{"conversation", "slots"}`, answered by a JSON object. Thread-safe.

    They must only look up data, because after a failure or a race the same request may be sent again. After three
    failures in a row a webhook counts as failed for 20 s without being asked.
    """

    def __init__(
        self,
        targets: Mapping[str, PlaybookWebhook],
        transport: httpx.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._targets = dict(targets)
        self._monotonic = monotonic
        self._client = httpx.Client(transport=transport, follow_redirects=False)
        self._failures: dict[str, int] = {}
        self._rests_until: dict[str, float] = {}

    def ask(self, name: str, conversation: str, slots: Mapping[str, str]) -> dict[str, str] | None:
        target = self._targets.get(name)
        if target is None or self._monotonic() < self._rests_until.get(name, 0.0):
            return None
        found = self._asked(name, target, conversation, slots)
        self._failures[name] = failures = 0 if found is not None else self._failures.get(name, 0) + 1
        if failures >= _FAILURES:
            self._rests_until[name] = self._monotonic() + _REST_S
            log.warning("playbook_webhook_rests", webhook=name, failures=failures, seconds=_REST_S)
        return found

    def close(self) -> None:
        self._client.close()

    def _asked(
        self, name: str, target: PlaybookWebhook, conversation: str, slots: Mapping[str, str]
    ) -> dict[str, str] | None:
        headers = {"content-type": "application/json"}
        if target.token is not None:
            headers["authorization"] = f"Bearer {target.token.get_secret_value()}"
        until = self._monotonic() + target.timeout_s
        body = msgspec.json.encode({"conversation": conversation, "slots": dict(slots)})
        try:
            with self._client.stream(
                "POST", target.url, content=body, headers=headers, timeout=target.timeout_s
            ) as response:
                response.raise_for_status()
                answer = read_bounded(response, until, self._monotonic)
            found = decoded(msgspec.json.decode, answer)
        except (httpx.HTTPError, ValueError) as error:
            log.warning("playbook_webhook_failed", webhook=name, error=type(error).__name__)
            return None
        if not isinstance(found, dict):
            log.warning("playbook_webhook_failed", webhook=name, error="the answer is not a JSON object")
            return None
        return {str(key): shown for key, value in found.items() if (shown := _value(value)) is not None}


def _value(value: Any) -> str | None:
    """A text or number as text; everything else is left out."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        return value[:_MAX_VALUE_CHARS] or None
    return f"{value:g}" if isinstance(value, (int, float)) else None
