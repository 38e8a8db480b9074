"""Metrics of conversations: turns, hand-offs, waiting, ends, and the use of suggestions."""

from triage.clock import parse_rfc3339
from triage.metrics import Metrics
from triage.schemas.conversation import Conversation


def count_change(metrics: Metrics, before: Conversation | None, after: Conversation) -> None:
    """Update the metrics after a change was stored; `before` is None for a new conversation."""
    turns = len(before.turns) if before is not None else 0
    for turn in after.turns[turns:]:
        metrics.conversation_turns.labels(turn.speaker).inc()
        if turn.speaker == "agent":
            metrics.conversation_suggestions.labels("used" if turn.step else "not_used").inc()
    state = before.state if before is not None else None
    if after.state == state:
        return
    if after.state == "waiting" and after.handoff is not None:
        metrics.conversation_handoffs.labels(after.handoff.reason).inc()
        begun = parse_rfc3339(after.created_at)
        metrics.conversation_handoff_seconds.observe((parse_rfc3339(after.handoff.at) - begun) / 1000)
    if state == "waiting" and before is not None and before.waiting_since is not None:
        waited = parse_rfc3339(after.updated_at) - parse_rfc3339(before.waiting_since)
        metrics.conversation_waiting_seconds.observe(waited / 1000)
    if after.state == "closed":
        # Contained: no person was needed, and the customer did not just go away.
        by_bot = after.handoff is None and after.taken_by is None and after.outcome != "timed_out"
        metrics.conversations_ended.labels(
            "bot" if by_bot else "timed_out" if after.outcome == "timed_out" else "person"
        ).inc()
