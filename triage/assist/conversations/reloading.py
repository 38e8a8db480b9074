"""Takes changed playbooks into use, without a restart."""

import threading
from collections.abc import Callable

from triage.assist.conversations.service import Conversations
from triage.assist.conversations.turns import TurnTaker
from triage.errors import TriageError
from triage.logging import get_logger

log = get_logger("triage.conversations")


class PlaybookReload:
    """Looks at the files before they are needed: an agent's reply follows the playbooks as they are now. Thread-safe.

    `identity` returns a text that changes with the files, `build` makes a TurnTaker of them, `seen` is the identity of
    those in use. Files with a mistake are reported once, and the playbooks before them stay in use.
    """

    def __init__(
        self, conversations: Conversations, identity: Callable[[], str], build: Callable[[], TurnTaker], seen: str
    ) -> None:
        self._conversations, self._identity, self._build, self._seen = conversations, identity, build, seen
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Replace the playbooks if their files have changed. Blocks for milliseconds; does not raise."""
        with self._lock:
            try:
                found = self._identity()
                if found == self._seen:
                    return
                self._seen = found
                before, taker = self._conversations.taker.version, self._build()
            except (TriageError, OSError) as error:
                log.warning("playbooks_refused", error=str(error))
                return
            self._conversations.taker = taker
            log.info("playbooks_replaced", before=before, after=taker.version)
