"""Reads the market report for the page: the file of names, then the index."""

from elasticsearch import Elasticsearch

from triage.assist.market.names import read_market
from triage.assist.market.reading import read_market_report
from triage.assist.market.report import MarketReport
from triage.clock import DAY_MS, MINUTE_MS, Clock
from triage.config import Settings
from triage.elastic.topics import latest_topics
from triage.schemas.topic import TopicReport


class MarketReader:
    """Reads the market report on the last `market.days` days, with the file of brands and products as it is now."""

    def __init__(self, settings: Settings, client: Elasticsearch, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock

    def read(self) -> MarketReport | None:
        """Return the report on the time up to the last whole minute; None without `market.path`.

        Blocks. Raises ConfigError for a file with mistakes, Unavailable, AccessDenied or DependencyError if a search
        fails.
        """
        market = self._settings.market
        if market.path is None:
            return None
        names = read_market(market.path)
        end_ms = self._clock.now_ms() // MINUTE_MS * MINUTE_MS
        start_ms = end_ms - market.days * DAY_MS
        return read_market_report(self._client, self._settings.elasticsearch, names, start_ms, end_ms)

    def topics(self) -> TopicReport | None:
        """Return the result of the latest run of `triage market topics`; None if there was none.

        Blocks. Raises Unavailable, AccessDenied or DependencyError if the search fails.
        """
        return latest_topics(self._client, self._settings.elasticsearch)
