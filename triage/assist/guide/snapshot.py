"""The catalogue in memory: items with their vectors, read from the index again when an `apply` has changed it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triage.assist.guide.understanding import Understanding
from triage.assist.guide.words import GuideWords
from triage.assist.market.names import Market
from triage.clock import Clock
from triage.schemas.catalogue import CatalogueDocument, CatalogueItem, CatalogueState
from triage.schemas.knowledge import unpack_vector

_LOOK_EVERY_S = 10.0


@dataclass(frozen=True)
class Snapshot:
    """The catalogue as one `apply` left it: items, vectors by item and language, orders in common by item and item.

    `encoder` made the vectors; None if not all items have vectors of one encoder.
    """

    items: Sequence[CatalogueItem]
    understanding: Understanding
    vectors: dict[str, dict[str, NDArray[np.float32]]] = field(default_factory=dict)
    bought_with: dict[str, dict[str, int]] = field(default_factory=dict)
    encoder: str | None = None


def snapshot_of(documents: Sequence[CatalogueDocument], words: GuideWords, market: Market | None) -> Snapshot:
    """Build the snapshot of some documents; brands are also found by their other names in the market file."""
    brands: dict[str, list[str]] = {}
    for each in documents:
        if (brand := each.stored.brand) is not None and brand not in brands:
            known = market.brand_of(brand) if market is not None else None
            brands[brand] = [known.name, *known.also] if known is not None else []
    encoders = {each.encoder for each in documents}
    encoder = encoders.pop() if len(encoders) == 1 else None
    return Snapshot(
        [each.stored for each in documents],
        Understanding(words, brands),
        {each.item: {language: unpack_vector(text) for language, text in each.exact.items()} for each in documents},
        {each.item: each.bought_with for each in documents if each.bought_with},
        encoder,
    )


class CatalogueReader:
    """Keeps the snapshot of a catalogue's index; looks for a new state at most every 10 s. Thread-safe."""

    def __init__(
        self,
        read_state: Callable[[], CatalogueState | None],
        read_documents: Callable[[], Sequence[CatalogueDocument]],
        make: Callable[[Sequence[CatalogueDocument]], Snapshot],
        clock: Clock,
    ) -> None:
        self._read_state, self._read_documents, self._make, self._clock = read_state, read_documents, make, clock
        self._lock = threading.Lock()
        self._looked_at: float | None = None
        self._state: CatalogueState | None = None
        self._snapshot: Snapshot | None = None

    def read(self) -> Snapshot:
        """The current snapshot of the catalogue. Blocks; raises Unavailable, AccessDenied, DependencyError."""
        with self._lock:
            now = self._clock.monotonic()
            if self._snapshot is None or self._looked_at is None or now - self._looked_at >= _LOOK_EVERY_S:
                state = self._read_state()
                if self._snapshot is None or state != self._state:
                    self._snapshot = self._make(self._read_documents())
                    self._state = state
                self._looked_at = now
            return self._snapshot
