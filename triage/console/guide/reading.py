"""Builds the guide of the page when it is first asked, so that the console starts without a catalogue."""

import threading

from elasticsearch import Elasticsearch

from triage.assist.answers.assemble import usable_encoder
from triage.assist.guide.adviser import Adviser
from triage.assist.guide.assemble import build_adviser
from triage.assist.guide.model import Advice, GuideRequest
from triage.clock import Clock
from triage.config import Settings


class GuideDesk:
    """Recommends items of the catalogue in the index for a customer's words. Thread-safe."""

    def __init__(self, settings: Settings, client: Elasticsearch, clock: Clock) -> None:
        self._settings, self._client, self._clock = settings, client, clock
        self._lock = threading.Lock()
        self._adviser: Adviser | None = None

    def advise(self, request: GuideRequest) -> Advice | None:
        """Return the advice for a customer's words; None without `guide.words`.

        Blocks. Raises ConfigError for a bad file of words, Unavailable, AccessDenied or DependencyError if a search
        fails.
        """
        if self._settings.guide.words is None:
            return None
        with self._lock:
            if self._adviser is None:
                encoder = usable_encoder(self._settings)
                self._adviser = build_adviser(self._settings, self._client, self._clock, encoder)
        return None if self._adviser is None else self._adviser.advise(request)
