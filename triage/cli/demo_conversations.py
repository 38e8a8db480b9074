"""Three conversations for `triage demo`: one that the bot resolves, one it resolves in Chinese, one it hands over."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triage.config import Settings

DIALOGUES: dict[str, tuple[str, ...]] = {
    "demo-refund": (
        "I want to return a jacket", "112-3456789-0123456", "it is too small", "not yet", "yes, thank you",
    ),
    "demo-kuaidi": ("快递还没到", "112-3456789-6543210", "运输中", "三天", "可以"),
    "demo-person": ("I was charged twice", "112-3456789-1111111", "I want to talk to a human about this"),
}  # fmt: skip


def converse(settings: "Settings", say: Callable[[str], None]) -> None:
    """Play three conversations into Elasticsearch, where the console shows them; `say` receives how each ended.

    Texts are read by rules alone: the worker has the processor now. Raises Unavailable, ConfigError.
    """
    from triage.assist.conversations.assemble import build_conversations, build_taker
    from triage.assist.conversations.elastic_store import ElasticStore
    from triage.assist.conversations.facts import facts_by_rules
    from triage.assist.conversations.turns import TurnRequest
    from triage.elastic.client import connect
    from triage.redaction import Redactor

    redactor, client = Redactor(settings.redaction), connect(settings.elasticsearch)
    try:
        store = ElasticStore(client, settings.elasticsearch)
        taker = build_taker(settings.conversations)
        conversations = build_conversations(settings, store, taker, redactor, settings.clock.build())
        for identity, texts in DIALOGUES.items():
            for number, text in enumerate(texts, 1):
                request = TurnRequest(turn=number, speaker="customer", text=text)
                answer = conversations.take(identity, request, facts_by_rules(text, redactor)).answer
            reason = f", {answer.handoff.reason}" if answer.handoff is not None else ""
            say(f"conversation {identity}: {len(texts)} turns, then {answer.state}{reason}")
    finally:
        client.close()
