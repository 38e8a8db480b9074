"""Builds the guide from the settings."""

from functools import partial

from elasticsearch import Elasticsearch

from triage.assist.answers.assemble import parameters_of
from triage.assist.encoder.base import SentenceEncoder
from triage.assist.guide.adviser import Adviser
from triage.assist.guide.ranking import Ranking
from triage.assist.guide.reviews import Reviews
from triage.assist.guide.snapshot import CatalogueReader, snapshot_of
from triage.assist.guide.words import GuideWords, read_words
from triage.assist.market.names import Market, read_market
from triage.assist.retrieval.similarity import Centres
from triage.clock import Clock
from triage.config import Settings
from triage.elastic.catalogue import read_catalogue_documents, read_catalogue_state
from triage.errors import ConfigError


def words_of(settings: Settings) -> GuideWords:
    """The content of the file `guide.words`. Raises ConfigError if it is not set, or for a mistake in the file."""
    if settings.guide.words is None:
        raise ConfigError("no words of a guide: set guide.words, or use --words where a command has it (docs/guide.md)")
    return read_words(settings.guide.words)


def build_adviser(
    settings: Settings,
    client: Elasticsearch,
    clock: Clock,
    encoder: SentenceEncoder | None,
    *,
    index: str | None = None,
) -> Adviser | None:
    """Build the product guide on the catalogue's index; None if `guide.words` is not set.

    `index` replaces the index of the settings. Raises ConfigError for mistakes in its words or the market file.
    """
    if settings.guide.words is None:
        return None
    words = read_words(settings.guide.words)
    market: Market | None = read_market(settings.market.path) if settings.market.path else None
    name = index or settings.elasticsearch.catalogue()
    reader = CatalogueReader(
        partial(read_catalogue_state, client, name),
        partial(read_catalogue_documents, client, name),
        partial(snapshot_of, words=words, market=market),
        clock,
    )
    reviews = Reviews(client, settings.elasticsearch, clock, settings.guide.review_days, lambda: market)
    return Adviser(
        reader.read,
        words,
        Ranking(encoder, Centres.of(parameters_of(settings).centres)),
        questions=settings.guide.questions,
        bought_together=settings.guide.bought_together,
        find_reviews=reviews.find if settings.guide.reviews else None,
        max_chars=settings.assist.max_question_chars,
    )
