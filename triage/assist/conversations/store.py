"""Keeps conversations: the contract of a store, and one in memory."""

import threading
from collections.abc import Collection
from typing import Protocol

import msgspec

from triage.assist.conversations.errors import RevisionConflict
from triage.schemas.conversation import Conversation, State


class ConversationStore(Protocol):
    """Stores conversations by id. Implementations are thread-safe and raise Unavailable, AccessDenied, DependencyError.

    `write` succeeds for exactly one of several writers of the same revision. `read` sees every finished write.
    """

    def read(self, identity: str) -> Conversation | None:
        """The conversation as it was last written; None if there is none."""
        ...

    def write(self, conversation: Conversation) -> None:
        """Store a conversation; raises RevisionConflict unless its revision is above the stored one."""
        ...

    def in_state(self, state: State, size: int) -> list[Conversation]:
        """Conversations in a state, those that changed longest ago first; a write may take a second to be seen."""
        ...

    def counts(self) -> dict[str, int]:
        """Number of conversations by state; a write may take a second to be seen."""
        ...


class MemoryStore:
    """Conversations in memory, for `triage chat` and tests."""

    def __init__(self) -> None:
        self._stored: dict[str, tuple[int, bytes]] = {}
        self._lock = threading.Lock()

    def read(self, identity: str) -> Conversation | None:
        with self._lock:
            found = self._stored.get(identity)
        return msgspec.json.decode(found[1], type=Conversation) if found else None

    def write(self, conversation: Conversation) -> None:
        body = msgspec.json.encode(conversation)
        with self._lock:
            stored = self._stored.get(conversation.id, (0, b""))[0]
            if conversation.revision <= stored:
                raise RevisionConflict(f"{conversation.id} has revision {stored}, not below {conversation.revision}")
            self._stored[conversation.id] = conversation.revision, body

    def in_state(self, state: State, size: int) -> list[Conversation]:
        found = [each for each in self._all() if each.state == state]
        return sorted(found, key=lambda each: each.updated_at)[:size]

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for each in self._all():
            found[each.state] = found.get(each.state, 0) + 1
        return found

    def erase(self, authors: Collection[str]) -> int:
        """Delete the conversations of these authors (keyed hashes); returns their number."""
        gone = [each.id for each in self._all() if each.author_id in authors]
        with self._lock:
            for identity in gone:
                del self._stored[identity]
        return len(gone)

    def _all(self) -> list[Conversation]:
        with self._lock:
            bodies = [body for _, body in self._stored.values()]
        return [msgspec.json.decode(body, type=Conversation) for body in bodies]
