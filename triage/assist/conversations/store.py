"""Stores conversations: the interface of a store, and a store in memory."""

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
        """Return the latest version of the conversation with this id; None if there is none."""
        ...

    def write(self, conversation: Conversation) -> None:
        """Store a conversation; raises RevisionConflict unless its revision is above the stored one."""
        ...

    def in_state(self, state: State, size: int) -> list[Conversation]:
        """Return conversations in a state, those unchanged for longest first; a write may be missing for a second."""
        ...

    def counts(self) -> dict[str, int]:
        """Number of conversations by state; a write may be visible only after a second."""
        ...


class MemoryStore:
    """A store that keeps conversations in memory, for `triage chat` and tests."""

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
