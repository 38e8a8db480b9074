"""Summarizes a conversation for the person who takes over."""

from triage.assist.conversations.facts import TurnFacts
from triage.assist.playbooks.model import Playbook
from triage.schemas.conversation import Conversation

_MAX_QUOTE_CHARS = 300
_WORDS = {
    "en": ("Reason", "Matter", "Known", "Steps done", "Shown", "Last words", "Sentiment"),
    "zh": ("转接原因", "事项", "已知信息", "已完成步骤", "已出示条款", "客户最后所述", "情绪"),
}


def summary_of(
    conversation: Conversation, playbook: Playbook | None, reason: str, facts: TurnFacts | None, language: str
) -> str:
    """Summarize a conversation in `language`, one line per fact that the person who takes over needs.

    The facts are `reason` of the hand-off, matter, slots, steps, shown passages, and the last message with its
    sentiment.
    """
    reason_word, matter, known, done, shown, last, sentiment = _WORDS[language]
    lines = [f"{reason_word}: {reason}"]
    if playbook is not None:
        lines.append(f"{matter}: {playbook.title.get(language, playbook.name)} ({conversation.playbook})")
        titles = {name: slot.title.get(language, name) for name, slot in playbook.slots.items()}
        if conversation.slots:
            values = "; ".join(f"{titles.get(name, name)}: {value}" for name, value in conversation.slots.items())
            lines.append(f"{known}: {values}")
    if conversation.steps:
        lines.append(f"{done}: {', '.join(conversation.steps)}")
    if conversation.passages:
        lines.append(f"{shown}: {', '.join(conversation.passages)}")
    if facts is not None:
        lines.append(f"{last}: {facts.text[:_MAX_QUOTE_CHARS]}")
        lines.append(f"{sentiment}: {facts.sentiment} ({facts.sentiment_score:+.2f})")
    return "\n".join(lines)
