"""Lets a person take part in conversations: the next turn of an agent, redacted by rules."""

from triage.assist.conversations.facts import facts_by_rules
from triage.assist.conversations.reloading import PlaybookReload
from triage.assist.conversations.service import Conversations
from triage.assist.conversations.turns import TurnRequest
from triage.redaction import Redactor


class ConversationDesk:
    """Reads conversations and adds agents' turns to them, for the console. Thread-safe; its methods block.

    `max_text_chars` limits a turn, `redactor` redacts it; `playbooks` reloads changed playbooks, None never does.
    """

    def __init__(
        self,
        conversations: Conversations,
        redactor: Redactor,
        max_text_chars: int,
        playbooks: PlaybookReload | None = None,
    ) -> None:
        self.conversations = conversations
        self._playbooks = playbooks
        self.max_text_chars = max_text_chars
        self._redactor = redactor

    def say(self, identity: str, text: str, actor: str, turn: int, step: str | None = None) -> None:
        """Add the agent's turn number `turn` to the conversation `identity`; `step` is the suggestion that was picked.

        Raises TurnRefused if the customer wrote meanwhile, so that the agent reads that first; Unavailable,
        AccessDenied or DependencyError if the turn cannot be stored.
        """
        if self._playbooks is not None:
            self._playbooks.refresh()
        request = TurnRequest(turn=turn, speaker="agent", text=text, step=step)
        self.conversations.take(identity, request, facts_by_rules(text, self._redactor), actor)
