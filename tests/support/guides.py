"""The demo's catalogue, and guides that advise from it or from a few invented items."""

from pathlib import Path
from typing import Any

from triage.assist.encoder.base import SentenceEncoder
from triage.assist.guide.adviser import Adviser
from triage.assist.guide.catalogue import read_catalogue
from triage.assist.guide.plan import documents_of
from triage.assist.guide.ranking import Ranking
from triage.assist.guide.snapshot import Snapshot, snapshot_of
from triage.assist.guide.words import GuideWords, read_words
from triage.assist.market.names import read_market
from triage.assist.retrieval.similarity import Centres
from triage.paths import resource
from triage.schemas.catalogue import CatalogueDocument, CatalogueItem

WORDS = resource("topics/feed/guide.yaml")
CATALOGUE = resource("topics/feed/catalogue.csv")
MARKET = resource("topics/feed/market.yaml")


def words() -> GuideWords:
    return read_words(WORDS)


def items(path: Path = CATALOGUE) -> list[CatalogueItem]:
    return list(read_catalogue(path, words()).items.values())


def snapshot(some: list[CatalogueItem] | None = None, encoder: SentenceEncoder | None = None) -> Snapshot:
    return snapshot_of(documents_of(items() if some is None else some, encoder), words(), read_market(MARKET))


def adviser(some: list[CatalogueItem] | None = None, encoder: SentenceEncoder | None = None, **options: Any) -> Adviser:
    """A guide; `documents` are others than those of the items."""
    documents: list[CatalogueDocument] | None = options.pop("documents", None)
    made = snapshot(some, encoder) if documents is None else snapshot_of(documents, words(), None)
    return Adviser(lambda: made, words(), Ranking(encoder, Centres({}, {})), **{"questions": 3} | options)


def item(identity: str, category: str = "phone", **fields: Any) -> CatalogueItem:
    return CatalogueItem(id=identity, category=category, **{"name": {"en": f"Item {identity}"}} | fields)
